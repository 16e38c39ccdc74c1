"""The lab's page and what its module asks for, with no server between."""

from __future__ import annotations

import json
import re

import pytest

from fanin.errors import ArgumentError, FaninError
from fanin.lab import sessions as sessions_module
from fanin.lab.controls import form
from fanin.lab.engine.recipe import NAMES, NUMBERS, Recipe
from fanin.lab.engine.trial import Trial
from fanin.lab.panels.table import PANELS
from fanin.lab.seam import Asked, House
from fanin.lab.sessions import Session, Sessions, recipes_of
from fanin.lab.views import find_views, lab
from fanin.report.page import number

SMALL = {"depth": 3, "width": 8}


@pytest.fixture
def desk():
    return lab.Desk(house=House(views=find_views()))


def told(answer):
    assert answer.status == 200
    return json.loads(answer.content)


def start(desk, a=SMALL, b=None, **more):
    body = {"a": a, "b": b, "kind": "outputs", **more}
    return told(desk.start(Asked(body=body)))


def go_on(desk, name, n_steps, kind="outputs"):
    body = {"session": name, "n_steps": n_steps, "kind": kind}
    return told(desk.step(Asked(body=body)))


def test_views_stand_in_their_order_and_have_names_of_their_own():
    views = find_views()

    assert [v.order for v in views] == sorted(v.order for v in views)
    assert len({v.name for v in views}) == len(views)


def test_the_page_has_a_place_for_every_panel_and_a_control_for_every_setting(desk):
    page = desk.page(Asked()).content

    for panel in PANELS:
        assert f'id="{panel.name}"' in page
    for name in (*NAMES, *NUMBERS):
        assert f'id="a-{name.replace("_", "-")}"' in page


def test_the_form_begins_with_the_usual_recipe_and_its_limits():
    shown = form(Recipe(depth=7))

    assert 'data-name="depth" min="1" max="60" step="1" value="7"' in shown
    labels = set(re.findall(r'<label for="([^"]+)"', shown))
    assert labels == set(re.findall(r' id="([^"]+)"', shown))


def test_panels_show_the_engines_own_numbers(desk):
    shown = start(desk)
    reading = Trial.start(Recipe(**SMALL)).frames[0].reading

    assert set(shown["panels"]) == {panel.name for panel in PANELS}
    for size in reading.rms:
        assert number(size) in shown["panels"]["signal"]
    for size in reading.gradient_rms:
        assert number(size) in shown["panels"]["gradient"]
    assert number(reading.loss) in shown["summary"]


def test_steps_train_and_a_kept_moment_comes_back_as_it_was(desk):
    first = start(desk)
    later = go_on(desk, first["session"], 7)
    body = {"session": first["session"], "step": 0, "kind": "outputs"}
    again = told(desk.frame(Asked(body=body)))

    assert later["step"] == 7
    assert later["steps"] == list(range(8))
    assert again["panels"] == first["panels"]
    assert again["panels"] != later["panels"]


def test_of_many_steps_about_ten_moments_are_kept(desk):
    later = go_on(desk, start(desk)["session"], 200)

    assert later["steps"] == list(range(0, 201, 20))


def test_theory_stands_beside_the_start_and_not_beside_what_was_trained(desk):
    first = start(desk)
    later = go_on(desk, first["session"], 1)

    assert "theory A" in first["panels"]["signal"]
    assert "theory A" not in later["panels"]["signal"]


def test_the_spread_over_seeds_is_added_when_it_is_asked_for(desk):
    first = start(desk)
    body = {"session": first["session"], "kind": "outputs"}
    wide = told(desk.spread(Asked(body=body)))

    assert set(wide["panels"]) == {"signal", "gradient"}
    assert "<polygon" in wide["panels"]["signal"]
    assert "<polygon" not in first["panels"]["signal"]


def test_a_beside_b_share_draw_and_batches_and_differ_in_what_was_set(desk):
    shown = start(desk, b={"factor": 0.1, "seed": 77, "depth": 9})
    a, b = desk.sessions.find(shown["session"]).trials

    assert (a.recipe.seed, a.recipe.depth) == (b.recipe.seed, b.recipe.depth)
    for one, other in zip(a.weights.matrices, b.weights.matrices, strict=True):
        assert other == pytest.approx(0.1 * one, rel=1e-6)
    assert "A: " in shown["summary"]
    assert "B: " in shown["summary"]


def test_a_beside_the_same_b_is_the_same(desk):
    shown = start(desk, b=dict(SMALL))
    go_on(desk, shown["session"], 12)
    a, b = desk.sessions.find(shown["session"]).trials

    assert a.losses == b.losses


def test_playing_gives_later_and_later_moments_until_it_is_stopped(desk):
    name = start(desk)["session"]
    asked = Asked(query={"session": name, "kind": "weights", "pace": "quick"})
    pictures = desk.play(asked).values
    steps = [next(pictures)["step"] for _ in range(3)]
    desk.stop(Asked(body={"session": name}))

    assert 0 < steps[0] < steps[1] < steps[2]
    assert list(pictures) == []


def test_a_second_play_ends_the_first(desk):
    name = start(desk)["session"]
    asked = Asked(query={"session": name, "kind": "outputs"})
    first, second = desk.play(asked).values, desk.play(asked).values
    next(first)
    next(second)

    assert list(first) == []
    second.close()


def test_playing_ends_by_itself_where_the_loss_is_no_number(desk):
    wild = {**SMALL, "depth": 12, "activation": "relu", "factor": 100.0}
    name = start(desk, wild)["session"]
    asked = Asked(query={"session": name, "kind": "outputs"})
    last = list(desk.play(asked).values)[-1]

    assert last["is_over"]
    json.dumps(last, allow_nan=False)


@pytest.mark.parametrize("kind", ["outputs", "activations", "gradients", "weights"])
def test_histograms_show_the_kind_that_was_asked_for(desk, kind):
    shown = start(desk, kind=kind)
    n_layers = 4 if kind != "activations" else 3

    assert shown["panels"]["histograms"].count("<svg") == n_layers


def test_data_that_lie_in_no_plane_have_no_boundary(desk):
    shown = start(desk, {**SMALL, "data": "digits"})

    assert shown["panels"]["boundary"] == ""


@pytest.mark.parametrize(
    "extreme",
    [
        {"depth": 60, "width": 2, "factor": 1e-3},
        {"depth": 60, "width": 4, "factor": 1e2, "activation": "relu"},
        {"depth": 1, "width": 2, "bias": -10.0, "activation": "relu"},
        {"scheme": "zeros", "activation": "gelu_tanh", **SMALL},
        {"scheme": "identity", "activation": "selu", **SMALL},
    ],
    ids=["vanishing", "exploding", "dead", "zeros", "identity"],
)
def test_the_ends_of_every_scale_can_be_drawn(desk, extreme):
    first = start(desk, extreme)
    desk.spread(Asked(body={"session": first["session"], "kind": "outputs"}))
    later = go_on(desk, first["session"], 3)

    assert "<svg" in later["panels"]["signal"]
    assert "nan" not in later["panels"]["signal"]


BAD = [
    {"session": "none", "n_steps": 1, "kind": "outputs"},
    {"session": None, "n_steps": 1, "kind": "outputs"},
    None,
    [1],
]


@pytest.mark.parametrize("body", BAD)
def test_a_session_that_is_not_there_is_said_so(desk, body):
    with pytest.raises(ArgumentError):
        desk.step(Asked(body=body))


@pytest.mark.parametrize("n_steps", [-1, 201, 1.5, "1", True, None])
def test_a_number_of_steps_out_of_range_is_refused(desk, n_steps):
    name = start(desk)["session"]
    with pytest.raises(ArgumentError, match="from 0 to 200"):
        go_on(desk, name, n_steps)


@pytest.mark.parametrize("kind", ["", "losses", None, 3])
def test_a_kind_of_histogram_that_there_is_not_is_refused(desk, kind):
    with pytest.raises(ArgumentError, match="kind"):
        start(desk, kind=kind)


@pytest.mark.parametrize("body", [{"a": 3}, {"a": {"code": "os"}}, {"a": {}, "b": []}])
def test_a_recipe_that_cannot_be_read_is_refused(body):
    with pytest.raises(FaninError):
        recipes_of(body)


def test_only_so_many_sessions_are_kept(monkeypatch):
    monkeypatch.setattr(sessions_module, "MOST_SESSIONS", 2)
    kept = Sessions()
    made = [Session.start((Recipe(**SMALL),)) for _ in range(3)]
    names = [kept.add(each) for each in made]

    assert kept.find(names[2]) is made[2]
    assert made[0].turn == 1
    with pytest.raises(ArgumentError, match="reload the page"):
        kept.find(names[0])


def test_a_page_that_starts_anew_gives_its_old_session_back(desk):
    old = start(desk)["session"]
    new = start(desk, session=old)["session"]

    assert desk.sessions.find(new).step == 0
    with pytest.raises(ArgumentError):
        desk.sessions.find(old)
