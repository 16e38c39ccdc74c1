"""demo: the whole lesson, proved, found, mended and measured."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from fanin.api.checking import check
from fanin.api.explaining import explain
from fanin.api.planning import init
from fanin.api.racing import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.report.demo import Demo, Patient

LESSONS = ("zero", "constant", "glorot", "he")
PATIENTS = (
    ("all weights zero, ReLU", "relu", 1, "zeros"),
    ("all weights 0.5, tanh", "tanh", 1, "constant(0.5)"),
    ("20 layers, weights × 0.01, tanh", "tanh", 20, "normal(std=0.01)"),
    ("20 layers, weights × 1, tanh", "tanh", 20, "normal(std=1)"),
    ("20 layers as PyTorch makes them, ReLU", "relu", 20, None),
)
WIDTH = 64
BATCH = 128


def demo(
    *,
    progress: bool = True,
    tell: Callable[[str], object] = str,
    **settings: Any,  # noqa: ANN401 (the fields of Experiment)
) -> Demo:
    """Run the lesson on scikit-learn's digits, in about a minute on two cores.

    Args:
        progress: draw a bar on stderr while nets are trained.
        tell: called with what is being done, a line each.
        settings: fields of `fanin.race.Experiment` for the race.

    Raises:
        MissingDependencyError: if PyTorch, scikit-learn or joblib is not installed.
    """
    from fanin.report.demo import Demo

    began = time.perf_counter()
    tell("Proving the claims with symbols …")
    lessons = tuple(explain(name) for name in LESSONS)
    tell("Checking and mending networks …")
    patients = tuple(_treat(*each) for each in PATIENTS)
    tell("Training on digits …")
    comparison = compare(progress=progress, **settings)
    return Demo(
        lessons=lessons,
        patients=patients,
        comparison=comparison,
        seconds=time.perf_counter() - began,
    )


def _treat(name: str, activation: str, depth: int, scheme: str | None) -> Patient:
    """Build a network with these weights, check it, mend it, check it again."""
    from fanin.frameworks.find import dense_net
    from fanin.race.data import load
    from fanin.report.demo import Patient

    digits = load("digits")
    sizes = (digits.n_in, *(WIDTH,) * depth, digits.n_classes)
    model = dense_net("torch", sizes, activation)
    if scheme is not None:
        init(model, scheme=scheme, seed=0)
    given = (digits.inputs[:BATCH], "cross_entropy", digits.targets[:BATCH])
    before = check(model, *given)
    plan = init(model, *given, seed=0)
    return Patient(name=name, before=before, plan=plan, after=check(model, *given))
