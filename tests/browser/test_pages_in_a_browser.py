"""Pages in a real browser: no axe violation, no request, readable at every size."""

from __future__ import annotations

import os
import shutil
from functools import cache
from importlib.resources import files

import pytest
import torch
from torch import nn

import fanin
from fanin.report.findings import page_of
from fanin.report.plan import page_of as plan_page

BROWSER = os.environ.get("FANIN_CHROMIUM") or shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDE, NARROW = {"width": 1200, "height": 900}, {"width": 400, "height": 800}
# WCAG 1.4.10: 1280 pixels at 200 % are 640 of CSS.
ZOOMED = {"width": 640, "height": 450}
OWN_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def deep(depth=12, width=16):
    torch.manual_seed(0)
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(width, width), nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(width, 4))
    nn.init.zeros_(net[8].weight)
    nn.init.constant_(net[4].weight, 0.1)
    nn.init.constant_(net[12].bias, -50.0)
    return net


def inputs(n=32, width=16):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, width, generator=generator), torch.arange(n) % 4


LOSS = ("cross_entropy", inputs()[1])


WRITERS = {
    "broken": lambda: page_of(fanin.check(deep(), inputs()[0], *LOSS)),
    "twins": lambda: page_of(fanin.check(equal_units(), inputs()[0], *LOSS)),
    "plan": lambda: plan_page(fanin.plan(deep(), inputs()[0], seed=0)),
    "lesson": lambda: fanin.explain("zero").to_html(),
    "theory": lambda: fanin.explain("theory", activation="tanh", depth=20).to_html(),
    "comparison": lambda: small_race().to_html(),
}
RARE = ("lesson", "theory", "comparison")
NAMES = [
    pytest.param(name, marks=[pytest.mark.slow] if name in RARE else [])
    for name in WRITERS
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Write a page when it is first asked for, and give where it is."""
    folder = tmp_path_factory.mktemp("pages")

    @cache
    def written(name):
        path = folder / f"{name}.html"
        path.write_text(WRITERS[name](), encoding="utf-8")
        return path.as_uri()

    return written


def equal_units():
    net = nn.Sequential(nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 4))
    for parameter in net.parameters():
        nn.init.constant_(parameter, 0.5)
    return net


def small_race():
    return fanin.compare(
        progress=False,
        depth=2,
        width=8,
        n_steps=3,
        seeds=(0, 1),
        learning_rates=(0.1,),
        n_jobs=1,
    )


@pytest.fixture(scope="module")
def browser():
    """Start the machine's own Chromium, else the one that Playwright installed."""
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
def visit(browser, address):
    """Open a page; afterwards nothing may have been asked for or complained of."""
    contexts, complaints, asked = [], [], []

    def opened(name, size=WIDE, **options):
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda said: complaints.append(said.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(address(name))
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def violations(tab):
    """Ask axe-core, every part of the page unfolded."""
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    tab.evaluate(AXE)
    found = tab.evaluate(
        "tags => axe.run({runOnly: tags}).then(r => r.violations)", list(OWN_RULES)
    )
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:160]} ({len(each['nodes'])})"
        for each in found
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_to_complain_of(visit, name, scheme):
    tab = visit(name, color_scheme=scheme, bypass_csp=True)

    assert violations(tab) == []


@pytest.mark.parametrize("size", [NARROW, ZOOMED, WIDE], ids=["400", "200 %", "1200"])
@pytest.mark.parametrize("name", NAMES)
def test_no_page_scrolls_sideways(visit, name, size):
    tab = visit(name, size)
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

    wide = tab.evaluate("document.documentElement.scrollWidth")
    assert wide <= size["width"]


def test_the_page_can_be_read_without_javascript(visit):
    tab = visit("broken", java_script_enabled=False)

    assert tab.locator("h1").inner_text().startswith("Check of")
    assert tab.locator("svg[role=img]").count() > 20
    assert tab.locator("button, input").count() == 0


def test_a_screen_reader_is_told_the_verdict_and_what_a_figure_shows(visit):
    tab = visit("broken")
    spoken = tab.locator("body").aria_snapshot()

    assert 'group "Verdict"' in spoken
    assert "Forward: size of each output" in spoken
    assert "outputs' root mean square goes from" in spoken


@pytest.mark.parametrize("name", ["broken", "twins"])
def test_links_between_findings_and_layers_lead_somewhere(visit, name):
    tab = visit(name)
    dead = tab.evaluate(
        "Array.from(document.querySelectorAll('a[href^=\"#\"]'))"
        ".map(a => a.getAttribute('href').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )

    assert dead == []
    assert tab.locator(".finding a[href^='#site-']").count() > 0
    assert tab.locator("tr a[href^='#finding-']").count() > 0


def test_following_a_link_unfolds_the_table_that_holds_its_layer(visit):
    tab = visit("broken")
    tab.locator(".finding a[href^='#site-']").first.click()

    assert tab.locator("tr:target").is_visible()


def test_no_id_stands_twice(visit):
    tab = visit("broken")
    ids = tab.evaluate("Array.from(document.querySelectorAll('[id]')).map(e => e.id)")

    assert len(ids) == len(set(ids))


def test_tables_sort_by_a_column_and_filter(visit):
    tab = visit("broken")
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    table = tab.locator("table.sites")
    column = table.locator("thead th").all_inner_texts().index("output")
    table.get_by_role("button", name="output").click()
    texts = [
        row.locator("th, td").nth(column).inner_text()
        for row in table.locator("tbody tr").all()
    ]
    sizes = [as_number(text) for text in texts]

    assert sizes == sorted(sizes)
    tab.get_by_label("Filter").first.fill("no layer of this name")
    assert table.locator("tbody tr:visible").count() == 0


def as_number(text):
    mantissa, _, power = text.replace("−", "-").replace(",", "").partition("·10")
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    return float(mantissa) * 10.0 ** int(power.translate(digits) or 0)


@pytest.mark.parametrize("name", NAMES)
def test_print_shows_what_is_folded_and_in_full(visit, name):
    tab = visit(name)
    tab.emulate_media(media="print")
    shown = tab.evaluate(
        "Array.from(document.querySelectorAll('details table')).every(t => "
        "t.getBoundingClientRect().height > 0 && t.checkVisibility())"
    )

    assert shown
    assert not tab.locator("nav").is_visible()


def test_nothing_moves(visit):
    tab = visit("broken", reduced_motion="reduce")
    moving = tab.evaluate(
        "Array.from(document.querySelectorAll('*')).filter(e => { const s ="
        " getComputedStyle(e); return s.animationName !== 'none' ||"
        " s.transitionDuration !== '0s'; }).length"
    )

    assert moving == 0
