"""The lab in a real Chromium: from a key on a slider to the painted figure.

Run: ``python -m benchmarks lab [--depth 30] [--width 128] [--presses 40]
[--markdown]``. Every press moves the scale's slider by one; the page posts its form,
the server draws the weights, runs them forwards and back, follows theory and draws
eight figures, and the page paints them. A time, the median and the 95 % point, is from
the key's event to the second animation frame after the swap, by the browser's own
clock. The last column is what the server alone needs, asked with no browser.
"""

from __future__ import annotations

import argparse
import os
import shutil
from dataclasses import replace
from statistics import median, quantiles
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks._table import Table
from fanin.lab.engine.recipe import Recipe
from fanin.lab.panels.table import drawn
from fanin.lab.server.serve import prepare
from fanin.lab.server.threads import one_thread_a_product
from fanin.lab.sessions import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WATCH = """
() => {
  window.times = [];
  let pressed = 0;
  const slider = document.querySelector('[data-of=a-factor]');
  slider.addEventListener('input', event => { pressed = event.timeStamp; }, true);
  new MutationObserver(() => {
    const began = pressed;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (began) window.times.push(performance.now() - began);
    }));
  }).observe(document.body, {attributes: true, attributeFilter: ['data-painted']});
}
"""
CASES = (
    ("tanh, Glorot", "tanh", "glorot_normal", 1.0),
    ("ReLU, He", "relu", "he_normal", 1.0),
    ("tanh, far too small", "tanh", "glorot_normal", 0.02),
    ("ReLU, far too large", "relu", "he_normal", 8.0),
)


def main() -> None:
    """Print a row a case."""
    options = _options()
    head = ("net", "painted, ms", "95 % ms", "server, ms")
    table = Table(head, is_markdown=options.markdown)
    with_page = list(_painted(options))
    with one_thread_a_product():
        _rows(options, table, with_page)
    table.close()


def _rows(options: Any, table: Table, with_page: list[list[float]]) -> None:
    for (name, activation, scheme, factor), times in zip(CASES, with_page, strict=True):
        recipe = Recipe(
            depth=options.depth,
            width=options.width,
            activation=activation,
            scheme=scheme,
        )
        alone = _server(recipe, factor, options.presses)
        table.row(
            name,
            f"{median(times):.0f}",
            f"{quantiles(times, n=20)[-1]:.0f}",
            f"{alone:.0f}",
        )


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depth", type=int, default=30)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--presses", type=int, default=40)
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args()


def _painted(options: Any) -> Iterator[list[float]]:
    """Give the browser's times of each case, in milliseconds."""
    from playwright.sync_api import sync_playwright

    place = prepare()
    thread = Thread(target=place.run, daemon=True)
    thread.start()
    where = os.environ.get("FANIN_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=where, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(place.url)
        tab.wait_for_url(lambda url: "token" not in url)
        for _, activation, scheme, factor in CASES:
            words = (
                f"a.depth={options.depth}&a.width={options.width}&a.factor={factor}"
                f"&a.activation={activation}&a.scheme={scheme}"
            )
            tab.goto("about:blank")
            tab.goto(f"{place.url.partition('/?')[0]}/lab#{words}")
            tab.wait_for_selector("#signal polygon")
            yield _pressed(tab, options.presses)
        browser.close()
    place.server.should_exit = True
    thread.join()


def _pressed(tab: Any, presses: int) -> list[float]:
    """Press the key so many times, each after the last one was painted."""
    tab.evaluate(WATCH)
    tab.locator("[data-of=a-factor]").focus()
    for count in range(1, presses + 1):
        tab.keyboard.press("ArrowRight" if count % 2 else "ArrowLeft")
        tab.wait_for_function("n => window.times.length >= n", arg=count)
    times: list[float] = tab.evaluate("window.times")
    return times


def _server(recipe: Recipe, factor: float, presses: int) -> float:
    """Give the median milliseconds of what the server does for one press."""
    times = []
    for press in range(presses):
        start = perf_counter()
        moved = replace(recipe, factor=factor * 1.02 ** (press % 7))
        drawn(Session.start((moved,)).scene("outputs"))
        times.append(1000 * (perf_counter() - start))
    return median(times)


if __name__ == "__main__":
    main()
