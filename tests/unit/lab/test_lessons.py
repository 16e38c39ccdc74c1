"""The lessons: every answer and every statement is asked of the engine."""

from __future__ import annotations

import json
import math
import re
from functools import cache

import pytest
import torch
from torch import nn

from fanin.derivation.arithmetic import gradients
from fanin.derivation.notation import Entry
from fanin.errors import ArgumentError, UnknownNameError
from fanin.lab.lessons.course import course, find_lesson
from fanin.lab.lessons.curves.show import show as show_curves
from fanin.lab.lessons.lesson import Choice, Question, Setting
from fanin.lab.lessons.page import parts
from fanin.lab.lessons.stepping.evidence import Evidence
from fanin.lab.lessons.stepping.frames import exactly, frames_of, look
from fanin.lab.lessons.stepping.run import Run, constant_loss, loss_function
from fanin.lab.seam import Asked, House
from fanin.lab.views.lessons import VIEW, Lessons


def is_curved(name):
    """Ask whether a lesson is one of curves, by the function that shows it."""
    return getattr(find_lesson(name).show, "func", None) is show_curves


NAMES = [lesson.name for lesson in course()]
STEPPED = [name for name in NAMES if name[0] in "AB"]
CURVED = [name for name in NAMES if is_curved(name)]
DEEP = [name for name in NAMES if name not in {*STEPPED, *CURVED}]


@cache
def evidence(name):
    lesson = find_lesson(name)
    return lesson.find(lesson.read({}))


@cache
def built(name):
    lesson = find_lesson(name)
    sections, shown = parts(lesson, lesson.read({}))
    return "".join(part.body for part in sections), shown


def as_torch(run: Run):
    """Build the run's net in PyTorch, in float64, with the run's start."""
    net = run.net
    functions = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
    layers = []
    for layer in range(1, net.n_layers + 1):
        linear = nn.Linear(*net.widths[layer - 1 : layer + 1], dtype=torch.float64)
        with torch.no_grad():
            for entry in net.of(f"W{layer}"):
                linear.weight[entry.j - 1, entry.i - 1] = run.start[entry]
            for entry in net.of(f"b{layer}"):
                linear.bias[entry.j - 1] = run.start[entry]
        layers += [linear, functions[net.activation.name]()]
    return nn.Sequential(*layers[:-1])


def test_the_course_has_every_part_in_order():
    assert NAMES[:8] == ["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8"]
    assert NAMES[8:14] == ["B1", "B2", "B3", "B4", "B5", "B6"]
    assert len(set(NAMES)) == len(NAMES)
    assert {name[0] for name in NAMES} >= set("ABCDEFGHILN")


@pytest.mark.parametrize("name", NAMES)
def test_every_statement_of_a_lesson_holds(name):
    for statement in find_lesson(name).statements:
        assert statement.holds(evidence(name)), statement.words(evidence(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_question_has_two_to_four_choices_and_one_right_answer(name):
    question = find_lesson(name).question

    assert 2 <= len(question.choices) <= 4
    assert 0 <= question.answer(evidence(name)) < len(question.choices)


def test_a_question_with_two_right_choices_is_refused():
    right = Choice(text="yes", is_right=lambda _: True)

    with pytest.raises(ArgumentError, match="one right choice"):
        Question(text="?", choices=(right, right)).answer(None)


@pytest.mark.parametrize("name", NAMES)
def test_every_statement_and_choice_stands_on_the_page(name):
    html, _ = built(name)
    plain = re.sub(r"<[^>]+>", "", html).replace("&#x27;", "'")

    for statement in find_lesson(name).statements:
        assert statement.words(evidence(name)) in plain
    for choice in find_lesson(name).question.choices:
        assert choice.text in plain


@pytest.mark.parametrize("name", [name for name in STEPPED if name != "B4"])
def test_a_run_is_that_of_pytorch(name):
    run = evidence(name).run
    net = as_torch(run)
    x = torch.tensor([s[0] for s in run.batch], dtype=torch.float64)
    y = torch.tensor([s[1] for s in run.batch], dtype=torch.float64)
    is_binary = run.net.loss.output == "sigmoid"
    compute = nn.BCEWithLogitsLoss() if is_binary else nn.MSELoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=run.rate)

    for moment in run.moments:
        loss = compute(net(x), y)
        assert moment.loss == pytest.approx(loss.item(), rel=1e-9, abs=1e-15)
        optimizer.zero_grad()
        loss.backward()
        for layer in range(1, run.net.n_layers + 1):
            found = net[2 * (layer - 1)].weight.grad
            for entry in run.net.of(f"W{layer}"):
                wanted = found[entry.j - 1, entry.i - 1].item()
                assert moment.gradient[entry] == pytest.approx(wanted, abs=1e-12)
        optimizer.step()


@pytest.mark.parametrize("name", STEPPED)
def test_when_an_array_first_moves_is_as_proved(name):
    found = evidence(name)
    if name == "B4":  # with dropout the run is not the proofs' run
        return
    for movement in found.derivation.movements:
        assert found.run.first_move(movement.tensor) == movement.step


def test_gradients_are_the_derivation_s_to_the_last_bit():
    run = evidence("B2").run

    for moment in run.moments[:5]:
        wanted = gradients(run.net, run.numbers, moment.parameters, run.batch)
        assert dict(moment.gradient) == wanted


def test_twins_are_equal_to_the_last_digit_at_every_step():
    found = evidence("B1")
    for moment in found.run.moments:
        for i in (1, 2):
            one, other = Entry(1, i, 1), Entry(1, i, 2)
            assert moment.parameters[one] == moment.parameters[other]
            assert moment.gradient[one] == moment.gradient[other]


def test_dropout_s_masks_are_two_or_zero_and_not_always_alike():
    masks = [moment.masks for moment in evidence("B4").run.moments]

    assert {value for mask in masks for value in mask.values()} == {0.0, 2.0}
    assert any(mask[1, 1] != mask[1, 2] for mask in masks)


@pytest.mark.parametrize("name", STEPPED)
def test_frames_hold_the_run_s_numbers(name):
    found = evidence(name)
    frames = frames_of(found, found.run)

    assert frames["nSteps"] == len(found.run.moments) - 1
    for moment, told in zip(found.run.moments, frames["moments"], strict=True):
        for entry, value in moment.parameters.items():
            key = f"{'b' if entry.is_bias else 'w'}{entry.layer}.{entry.i}.{entry.j}"
            assert float(told["all"][key][1].replace("−", "-")) == value
            assert len(told["says"]) == 3
    json.dumps(frames)


@pytest.mark.parametrize("name", STEPPED)
def test_a_chain_of_factors_is_the_gradient(name):
    found = evidence(name)
    if name == "B4":  # the mask is a factor of its own, in dŷ/da
        return
    frames = frames_of(found, found.run)
    for told in frames["moments"][:3]:
        for sample in told["samples"]:
            for key, factors in frames["chains"].items():
                pairs = [sample.get(at) or told["all"][at] for _, at in factors]
                product = math.prod(float(p[1].replace("−", "-")) for p in pairs)
                gradient = float(sample[f"g:{key}"][1].replace("−", "-"))
                assert product == pytest.approx(gradient, rel=1e-12, abs=1e-15)


def test_a_run_that_grows_without_bound_is_broken_off_and_said_to_be():
    lesson = find_lesson("B1")
    settings = lesson.read({"c": "1.5", "rate": "1"})
    html = "".join(part.body for part in parts(lesson, settings)[0])

    assert lesson.find(settings).run.has_diverged
    assert "grow without bound" in html


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "zero w0"), (1e-9, "plus w1"), (-50.0, "minus w5")]
)
def test_an_edge_looks_like_its_weight(value, words):
    assert look(value) == words


def test_every_digit_reads_back_as_the_same_number():
    for value in (0.1 + 0.2, -1 / 3, 5e-324, 1e300, 2.0):
        assert float(exactly(value).replace("−", "-")) == value


def test_losses_are_the_formulas():
    assert loss_function("mse")(0.25, 1.0) == 0.5625
    assert loss_function("binary_cross_entropy")(0.5, 1.0) == pytest.approx(math.log(2))
    assert loss_function("binary_cross_entropy")(0.0, 1.0) == math.inf


def test_no_constant_beats_the_best_one():
    run = evidence("A1").run
    best = constant_loss(run.net, run.batch)
    targets = [s[1][0] for s in run.batch]

    for guess in (0.0, 0.5, 0.7, 0.8, 1.0, 2.0):
        assert sum((guess - t) ** 2 for t in targets) / len(targets) >= best


@pytest.mark.parametrize("text", ["nan", "inf", "2", "word", "-1", ""])
def test_a_setting_out_of_its_limits_is_refused(text):
    setting = Setting(name="c", label="c", usual=0.5, low=0, high=1, step=0.1)

    with pytest.raises(ArgumentError, match="a number from 0 to 1"):
        setting.read(text)


def test_an_unknown_lesson_is_refused_by_name():
    with pytest.raises(UnknownNameError, match="Z9"):
        find_lesson("Z9")


def test_handlers_give_the_course_a_page_and_a_file():
    lessons = Lessons(house=House(views=(VIEW,)))
    index = lessons.index(Asked()).content
    page = lessons.lesson(Asked(path={"case": "b1"}, query={"c": "0.25"})).content
    file = lessons.file(Asked(path={"case": "B1"}, query={"c": "0.25"}))

    assert all(f'href="/lessons/{name}"' in index for name in NAMES)
    assert 'value="0.25"' in page
    assert not re.search(r"\sstyle=", page)
    assert "constant c 0.25" in file.content
    assert file.headers["Content-Disposition"] == 'attachment; filename="B1.html"'


def test_evidence_is_of_the_settings_that_were_asked_for():
    lesson = find_lesson("B1")
    found = lesson.find(lesson.read({"c": "0.25", "x1": "2"}))

    assert isinstance(found, Evidence)
    assert found.run.start[Entry(1, 1, 1)] == 0.25
    assert found.run.batch[0][0] == (2.0, 0.5)


@pytest.mark.parametrize("name", ["C1", "D3", "E4"])
def test_theory_is_near_what_was_measured(name):
    for one in evidence(name).looks:
        pairs = zip(one.reading.rms[:8], one.expected.rms[:8], strict=True)
        assert all(0.6 < measured / theory < 1.6 for measured, theory in pairs)


ENDS = [
    pytest.param(name, marks=[] if name in {"D3", "I1"} else [pytest.mark.slow])
    for name in DEEP
]


@pytest.mark.parametrize("name", ENDS)
def test_a_deep_lesson_survives_the_ends_of_its_sliders(name):
    lesson = find_lesson(name)
    for end in ("low", "high"):
        query = {each.name: str(getattr(each, end)) for each in lesson.settings}
        html = "".join(part.body for part in parts(lesson, lesson.read(query))[0])
        assert "Signal by layer" in html
