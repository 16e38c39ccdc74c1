"""The lab in a real browser: its numbers, its controls, no request that leaves."""

from __future__ import annotations

import os
import re
import shutil
from importlib.resources import files
from threading import Thread
from urllib.parse import urlsplit

import pytest
import torch
from torch import nn

import fanin
import fanin.race
from fanin.lab import Guest
from fanin.lab.engine.recipe import Recipe
from fanin.lab.engine.trial import Trial
from fanin.lab.server.serve import prepare
from fanin.report.page import number

BROWSER = os.environ.get("FANIN_CHROMIUM") or shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SMALL = "#a.depth=3&a.width=8&a.seed=4"
PAIR = f"{SMALL}&b.factor=0.1&b.activation=relu&b.scheme=he_normal"


def guest():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    nn.init.zeros_(net[0].weight)
    nn.init.zeros_(net[0].bias)
    nn.init.zeros_(net[2].weight)
    batch = torch.linspace(-1, 1, 96).reshape(12, 8)
    labels = torch.arange(12) % 3
    return Guest(
        name="net.py:make", model=net, batch=batch, loss="cross_entropy", target=labels
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Serve the lab from a thread of this process, over a store with one run."""
    store = tmp_path_factory.mktemp("runs") / "runs.db"
    sizes = {"depth": 2, "width": 6, "n_steps": 2, "learning_rates": (0.1,)}
    fanin.compare(
        schemes=("zeros", "he_normal"), progress=False, n_jobs=1, store=store, **sizes
    )
    place = prepare(guest())
    thread = Thread(target=place.run, daemon=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fanin.race, "default_store", lambda: store)
        thread.start()
        yield place
        place.server.should_exit = True
        thread.join(timeout=30)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        except Error:
            if BROWSER is not None:
                raise
            pytest.skip("no Chromium: `playwright install chromium`")
        yield opened
        opened.close()


@pytest.fixture
def visit(browser, place):
    """Open a page of the lab; nothing may leave this machine or be complained of."""
    contexts, complaints, outside = [], [], []
    host = urlsplit(place.url).netloc

    def watched(route):
        if urlsplit(route.request.url).netloc != host:
            outside.append(route.request.url)
        route.continue_()

    def opened(path="/lab", **options):
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        context = browser.new_context(**options)
        contexts.append(context)
        context.route(re.compile(r"^(?!data:)"), watched)
        tab = context.new_page()
        tab.on("console", lambda said: complaints.append(said.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(place.url)
        tab.wait_for_url(lambda url: "token" not in url)
        tab.goto(f"http://{host}{path}")
        if path.startswith("/lab"):
            tab.wait_for_selector("#signal svg")
            tab.wait_for_selector("#signal polygon")  # the spread has come
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert outside == []


def at(tab, step):
    """Wait until the page shows that step."""
    tab.wait_for_function(
        "step => document.getElementById('at').textContent === `step ${step}`", arg=step
    )


def cells(tab, panel, column=0):
    """Give the numbers of a panel's table."""
    rows = tab.locator(f"#{panel} tbody tr")
    return rows.evaluate_all(
        "(rows, column) => rows.map(row => row.cells[column + 1].textContent)", column
    )


def shown(values):
    return [number(float(value)) for value in values]


def test_numbers_on_the_page_are_the_engines(visit):
    tab = visit(f"/lab{SMALL}")
    trial = Trial.start(Recipe(depth=3, width=8, seed=4))
    reading = trial.frames[0].reading

    assert cells(tab, "signal") == shown(reading.rms)
    assert cells(tab, "gradient") == shown(reading.gradient_rms)
    assert cells(tab, "likeness") == shown(reading.likeness)
    tab.locator("#leap").click()
    at(tab, 10)
    for _ in range(10):
        trial.advance()
    assert cells(tab, "signal") == shown(trial.look().reading.rms)
    assert cells(tab, "updates") == shown(trial.updates)
    assert cells(tab, "loss") == shown(trial.losses)


def test_a_slider_by_keyboard_redraws_and_the_address_keeps_the_state(visit):
    tab = visit(f"/lab{SMALL}")
    before = cells(tab, "signal")
    slider = tab.get_by_role("slider", name="Scale, times, slider, A")
    slider.focus()
    for _ in range(20):
        slider.press("ArrowRight")
    factor = float(tab.locator("#a-factor").input_value())
    reading = Trial.start(Recipe(depth=3, width=8, seed=4, factor=factor)).frames[0]
    wanted = shown(reading.reading.rms)
    tab.wait_for_function(
        "wanted => document.querySelector('#signal tbody td').textContent === wanted",
        arg=wanted[0],
    )

    assert factor > 1.3
    assert cells(tab, "signal") == wanted != before
    assert f"a.factor={factor:g}" in tab.evaluate("location.hash")
    tab.reload()
    tab.wait_for_selector("#signal polygon")
    assert cells(tab, "signal") == wanted


def test_play_pause_scrub_and_rewind(visit):
    tab = visit(f"/lab{SMALL}")
    start = cells(tab, "signal")
    tab.get_by_role("button", name="Play").click()
    tab.wait_for_function("() => Number(document.getElementById('scrub').max) >= 3")
    tab.get_by_role("button", name="Pause").click()
    tab.get_by_role("button", name="Play").wait_for()
    tab.locator("#scrub").evaluate(
        "e => { e.value = 0; e.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    at(tab, 0)
    assert cells(tab, "signal") == start
    tab.get_by_role("button", name="Rewind").click()
    tab.wait_for_function("() => document.getElementById('scrub').max === '0'")

    assert cells(tab, "signal") == start
    assert tab.locator("#a-seed").input_value() == "4"


def test_keys_work_on_the_bench_and_nowhere_else(visit):
    tab = visit(f"/lab{SMALL}")
    tab.locator("#a-seed").focus()
    tab.keyboard.press("r")
    assert tab.locator("#at").inner_text() == "step 0"
    tab.locator(".bench").focus()
    tab.keyboard.press("ArrowRight")
    at(tab, 1)
    tab.keyboard.press("ArrowRight")
    at(tab, 2)
    tab.keyboard.press("ArrowLeft")
    at(tab, 1)
    tab.keyboard.press("n")
    tab.wait_for_function("() => document.getElementById('scrub').max === '0'")

    assert tab.locator("#a-seed").input_value() == "5"


def test_b_begins_as_a_copy_of_a_on_the_same_draw(visit):
    tab = visit(f"/lab{SMALL}")
    tab.get_by_label("Compare with a second start").check()
    tab.wait_for_function(
        "() => document.querySelectorAll('#boundary svg').length === 2"
    )
    head = tab.locator("#signal thead th").all_text_contents()
    alike = cells(tab, "signal", head.index("A") - 1)

    assert cells(tab, "signal", head.index("B") - 1) == alike
    tab.locator("#b-factor").fill("0.5")
    half = Trial.start(Recipe(depth=3, width=8, seed=4, factor=0.5)).frames[0].reading
    tab.wait_for_function(
        "([column, wanted]) => document.querySelector('#signal tbody tr')"
        ".cells[column].textContent === wanted",
        arg=[head.index("B"), shown(half.rms)[0]],
    )
    assert cells(tab, "signal", head.index("A") - 1) == alike


def test_a_number_out_of_range_is_said_and_not_sent(visit):
    tab = visit(f"/lab{SMALL}")
    tab.locator("#a-depth").fill("1000")

    assert "out of its range" in tab.locator("#wrong").inner_text()
    tab.locator("#a-depth").fill("4")
    tab.wait_for_function(
        "() => document.querySelectorAll('#signal tbody tr').length === 5"
    )
    assert not tab.locator("#wrong").is_visible()


def test_a_screen_reader_is_told_what_changed(visit):
    tab = visit(f"/lab{SMALL}")
    tab.locator("#step").click()
    tab.wait_for_function(
        "() => document.getElementById('said').textContent.startsWith('Step 1.')"
    )
    spoken = tab.locator("body").aria_snapshot()

    assert 'spinbutton "Hidden layers"' in spoken
    assert 'slider "Scrub back"' in spoken
    assert "status" in spoken
    assert tab.locator("#said").get_attribute("role") == "status"


def violations(tab):
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    tab.evaluate(AXE)
    found = tab.evaluate(
        "tags => axe.run({runOnly: tags}).then(r => r.violations)", RULES
    )
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


LOOKED_AT = [
    pytest.param(f"/lab{PAIR}", "light", id="lab, light"),
    pytest.param(f"/lab{PAIR}", "dark", id="lab, dark"),
    pytest.param("/model", "dark", id="model, dark"),
    pytest.param("/model", "light", id="model, light", marks=pytest.mark.slow),
    pytest.param("/compare", "dark", id="compare, dark", marks=pytest.mark.slow),
    pytest.param("/compare/1", "light", id="a run, light"),
]


@pytest.mark.parametrize(("path", "scheme"), LOOKED_AT)
def test_axe_finds_nothing_to_complain_of(visit, path, scheme):
    tab = visit(path, color_scheme=scheme, bypass_csp=True)
    if path == "/model":
        tab.wait_for_selector("#signal, #findings", timeout=60_000)

    assert violations(tab) == []


SIZES = {"390": (390, 800), "1280 at 200 %": (640, 450)}


PATHS = [
    pytest.param(f"/lab{PAIR}", id="lab"),
    pytest.param("/model", id="model", marks=pytest.mark.slow),
    pytest.param("/compare/1", id="a run", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_no_page_scrolls_sideways(visit, size, path):
    width, height = size
    tab = visit(path, viewport={"width": width, "height": height})
    tab.wait_for_selector("svg")
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_a_reader_who_wants_no_motion_gets_one_picture_a_second(visit):
    tab = visit(f"/lab{SMALL}", reduced_motion="reduce")
    with tab.expect_request(re.compile("/lab/play")) as asked:
        tab.locator("#play").click()
    tab.locator("#play").click()

    assert "pace=calm" in asked.value.url


def test_print_leaves_the_controls_out(visit):
    tab = visit(f"/lab{SMALL}")
    tab.emulate_media(media="print")

    assert not tab.locator(".recipe").is_visible()
    assert not tab.locator(".player").is_visible()
    assert tab.locator("#signal svg").is_visible()


def test_the_readers_own_model_is_shown_with_what_the_check_finds(visit):
    tab = visit("/model")
    tab.wait_for_selector("#findings", timeout=60_000)

    assert tab.locator("h1").inner_text() == "net.py:make"
    assert "FAN101" in tab.locator("main").inner_text()
    assert tab.locator("section[aria-labelledby=signal] svg").count() >= 2
    assert tab.locator("ul.multiples svg").count() > 3


def test_a_stored_run_is_found_from_the_list_and_shown(visit):
    tab = visit("/compare")
    tab.get_by_role("link", name="1", exact=True).click()
    tab.wait_for_url("**/compare/1")

    assert tab.locator("h1").inner_text() == "Run 1"
    assert "he_normal" in tab.locator("section[aria-labelledby=standings]").inner_text()
