"""The code of the lessons runs, and computes the page's numbers."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import pytest

from fanin.lab.lessons.code import Job, in_jax, in_keras, in_torch
from fanin.lab.lessons.code.deep import IN_JAX, IN_KERAS, IN_TORCH, JAX, KERAS, TORCH
from fanin.lab.lessons.code.job import filled
from fanin.lab.lessons.course import find_lesson


def printed(script):
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(script, "<lesson>", "exec"), {})
    return [line.split() for line in out.getvalue().splitlines()]


def job(name, **words):
    lesson = find_lesson(name)
    found = lesson.find(lesson.read({}))
    return Job(run=found.run, **words), found


@pytest.mark.parametrize("name", ["A1", "A3", "A8", "B1", "B5"])
def test_the_pytorch_code_computes_the_page_s_losses(name):
    task, found = job(name)
    losses = [float(loss) for _, loss in printed(in_torch.script(task))]

    assert losses == pytest.approx(found.run.losses, rel=1e-4, abs=1e-6)


def test_the_pytorch_code_starts_as_fanin_draws():
    lesson = find_lesson("A1")
    found = lesson.find(lesson.read({}))
    task = Job(run=found.better, scheme=found.scheme, seed=found.seeds[0])
    losses = [float(loss) for _, loss in printed(in_torch.script(task))]

    assert losses == pytest.approx(found.better.losses, rel=1e-3, abs=1e-6)


def test_the_dropout_code_runs():
    task, found = job("B4")

    assert len(printed(in_torch.script(task))) == found.run.n_steps + 1


@pytest.mark.parametrize("name", ["A1", "A8", "B5"])
def test_the_jax_code_computes_the_page_s_losses(name):
    task, found = job(name)
    losses = [float(loss) for _, loss in printed(in_jax.script(task))]

    assert losses == pytest.approx(found.run.losses, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    "name", ["A1", *(pytest.param(n, marks=pytest.mark.slow) for n in ("A8", "B5"))]
)
def test_the_keras_code_computes_the_page_s_losses(name):
    task, found = job(name)
    (_, before), (_, after) = printed(in_keras.script(task))

    assert float(before) == pytest.approx(found.run.losses[0], rel=1e-4)
    assert float(after) == pytest.approx(found.run.losses[-1], rel=1e-4, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("write", [in_torch, in_keras, in_jax])
def test_the_drawn_code_runs(write):
    lesson = find_lesson("A1")
    found = lesson.find(lesson.read({}))
    task = Job(run=found.better, scheme=found.scheme, seed=found.seeds[0])

    assert printed(write.script(task))


# Keras 3 on PyTorch calls NumPy 2 the old way.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(
    ("lines", "words"), [(IN_TORCH, TORCH), (IN_KERAS, KERAS), (IN_JAX, JAX)]
)
def test_a_deep_script_prints_a_signal_that_stays(lines, words):
    names = {"depth": "8", "width": "128", "scheme": "he_normal", "seed": "0"}
    script = filled({**names, "phi": words.get("relu", "relu")}, lines)
    sizes = [float(size) for (size,) in printed(script)]

    assert len(sizes) == 8
    assert all(0.5 < size < 3 for size in sizes)
