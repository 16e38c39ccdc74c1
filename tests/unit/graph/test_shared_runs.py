"""Runs that compute the same are one object; those that do not stay apart."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.simplify.replay import Replay, SharedRuns, Step


def run(root=0, number=2.0, function=np.multiply, tables=(), name="mul"):
    """Give number · x, and then its tanh."""
    first = Step(
        value=root + 3,
        name=name,
        function=function,
        operands=(root, np.float64(number)),
    )
    last = Step(value=root + 8, name="tanh", function=np.tanh, operands=(root + 3,))
    return Replay(root=root, steps=(first, last), tables=tables)


def test_equal_runs_of_other_values_are_one():
    shared = SharedRuns()
    first = shared.of(run(root=0))

    assert shared.of(run(root=70)) is first
    assert first(np.array([0.5])).tolist() == np.tanh([1.0]).tolist()


@pytest.mark.parametrize(
    "other",
    [
        run(number=2.5),
        run(function=np.add),
        run(tables=(4,)),
        run(name="add"),
        run(number=-2.0),
    ],
    ids=["number", "function", "table", "name", "sign"],
)
def test_other_runs_stay_apart(other):
    shared = SharedRuns()
    first = shared.of(run())

    assert shared.of(other) is other
    assert shared.of(run()) is first


def test_zeros_of_two_signs_stay_apart():
    shared = SharedRuns()
    plus = shared.of(run(number=0.0))

    assert shared.of(run(number=-0.0)) is not plus
