"""The lessons in a real browser: walked, played, numbers held to the engine's."""

from __future__ import annotations

import os
import re
import shutil
from importlib.resources import files
from threading import Thread
from urllib.parse import urlsplit

import pytest

from fanin.lab.lessons.course import course, find_lesson
from fanin.lab.lessons.exporting import export
from fanin.lab.lessons.stepping.frames import PHASES, frames_of
from fanin.lab.server.serve import prepare

BROWSER = os.environ.get("FANIN_CHROMIUM") or shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SHOWN = """() => [...document.querySelectorAll('[data-player=case] svg.net [data-k],'
  + '[data-player=case] svg.net [data-s]')].filter(one => !one.closest('.still'))
  .map(one => [one.dataset.k ?? '', one.dataset.s ?? '', one.textContent])"""
GO = """at => { const scrub = document.querySelector('[data-player=case] [data-scrub]');
  scrub.value = at; scrub.dispatchEvent(new Event('input', {bubbles: true})); }"""


@pytest.fixture(scope="module")
def place():
    place = prepare(None)
    thread = Thread(target=place.run, daemon=True)
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
    """Open a lesson; nothing may leave this machine or be complained of."""
    contexts, complaints, outside = [], [], []
    host = urlsplit(place.url).netloc

    def watched(route):
        if urlsplit(route.request.url).netloc not in {host, ""}:
            outside.append(route.request.url)
        route.continue_()

    def opened(path, **options):
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        context = browser.new_context(**options)
        contexts.append(context)
        context.route(re.compile(r"^(?!data:)"), watched)
        tab = context.new_page()
        tab.on("console", lambda said: complaints.append(said.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        if path.startswith("file:"):
            tab.goto(path)
            return tab
        tab.goto(place.url)
        tab.wait_for_url(lambda url: "token" not in url)
        tab.goto(f"http://{host}{path}")
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert outside == []


def violations(tab):
    tab.evaluate(AXE)
    found = tab.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
    )
    return [
        (each["id"], each["nodes"][0]["html"][:120]) for each in found["violations"]
    ]


def numbers_agree(tab, told, sample=0):
    """Hold every number of the picture to the engine's."""
    shown = tab.evaluate(SHOWN)
    assert shown
    for of_all, of_sample, text in shown:
        pair = told["all"][of_all] if of_all else told["samples"][sample][of_sample]
        assert text == pair[0]


@pytest.mark.slow
def test_every_lesson_is_opened_answered_and_run(visit):
    tab = visit("/lessons")
    host = tab.url.rsplit("/", 1)[0]
    assert tab.locator("[data-lesson]").count() == len(course())
    assert violations(tab) == []
    for lesson in course():
        tab.goto(f"{host}/lessons/{lesson.name}")
        found = lesson.find(lesson.read({}))
        assert not tab.locator("#run").is_visible()
        answer = lesson.question.answer(found)
        tab.locator(f".predict input[value='{answer}']").check()
        assert tab.locator("[data-verdict]").text_content() == "Right."
        assert tab.locator("#run").is_visible()
        if not tab.locator("[data-player]").count():
            assert tab.locator(".part-run svg").count() == 2
            continue
        frames = frames_of(found, found.run)
        for position in (0, 4, 3 * frames["nSteps"]):
            tab.evaluate(GO, position)
            told = frames["moments"][position // 3]
            numbers_agree(tab, told)
            says = tab.locator("[data-player=case] [data-says]").text_content()
            assert says == told["says"][position % len(PHASES)]
    assert violations(tab) == []
    tab.goto(f"{host}/lessons")
    tab.wait_for_selector(".mark.right")
    assert tab.locator(".mark.right").count() == len(course())


# 640 is what 200 % leaves of 1280.
@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (640, "dark"), (390, "light")]
)
def test_a_lesson_can_be_read_by_everyone(visit, width, scheme):
    tab = visit(
        "/lessons/B1",
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        reduced_motion="reduce",
    )
    assert violations(tab) == []
    tab.locator("[data-skip]").click()
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    tab.evaluate(GO, 4)

    assert violations(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_a_lesson_is_played_by_keys_and_by_buttons(visit):
    tab = visit("/lessons/A3")
    tab.locator("[data-skip]").click()
    player = tab.locator("[data-player=case]")
    edge = player.locator("[data-entry='w1.1.1']").first
    edge.focus()
    for _ in range(4):
        tab.keyboard.press("ArrowRight")
    assert player.locator("[data-at]").text_content() == (
        "1 of 20 updates · backward pass"
    )
    chain = player.locator("[data-chain]").text_content()
    assert chain.startswith("w₁₁ = 0;  dL/dw₁₁ = dL/dŷ · w₁₁⁽²⁾ · ")
    assert edge.get_attribute("aria-label") == chain
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("r")
    assert player.locator("[data-scrub]").input_value() == "0"
    player.locator("[data-do=update]").click()
    assert player.locator("[data-scrub]").input_value() == "3"
    player.locator("[data-do=play]").click()
    tab.wait_for_function(
        "() => document.querySelector('[data-player=case] [data-scrub]').value > 3"
    )
    player.locator("[data-do=play]").click()
    assert player.locator("[data-do=play]").text_content() == "Play"

    found = find_lesson("A3")
    found = found.find(found.read({}))
    told = frames_of(found, found.run)["moments"]
    player.locator("[data-sample]").select_option("2")
    tab.evaluate(GO, 6)
    numbers_agree(tab, told[2], sample=2)
    player.locator("[data-exact]").check()
    exact = player.locator("[data-k='w2.1.1']").first.text_content()
    assert exact == told[2]["all"]["w2.1.1"][1]


def test_a_slider_changes_the_numbers_and_the_address(visit):
    tab = visit("/lessons/B1")
    tab.locator("[data-skip]").click()
    tab.locator("input[name=c]").fill("0.25")
    tab.wait_for_url("**?c=0.25")
    lesson = find_lesson("B1")
    found = lesson.find(lesson.read({"c": "0.25"}))
    tab.evaluate(GO, 6)
    numbers_agree(tab, frames_of(found, found.run)["moments"][2])
    assert tab.locator("[data-file]").get_attribute("href").endswith("?c=0.25")
    again = visit("/lessons/B1?c=0.25")
    assert again.locator("input[name=c]").input_value() == "0.25"


def test_a_file_plays_on_its_own_and_shows_both_ends_without_javascript(
    visit, tmp_path
):
    lesson = find_lesson("B1")
    path, _ = export(tmp_path / "out", [lesson])
    found = lesson.find(lesson.read({}))
    frames = frames_of(found, found.run)
    tab = visit(path.as_uri())
    tab.locator("[data-skip]").click()
    tab.evaluate(GO, 9)
    numbers_agree(tab, frames["moments"][3])
    assert violations(tab) == []

    plain = visit(path.as_uri(), java_script_enabled=False)
    first, last = (frames["moments"][k]["all"]["w1.1.1"][0] for k in (0, -1))
    drawn = plain.locator("[data-player=case] svg.net [data-k='w1.1.1']")
    assert [one.text_content() for one in drawn.all()] == [first, last]
    assert drawn.nth(1).is_visible()
    assert plain.locator(".no-script summary").is_visible()
