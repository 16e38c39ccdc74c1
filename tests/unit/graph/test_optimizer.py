from __future__ import annotations

import numpy as np
import pytest

from fanin.errors import UnknownNameError
from fanin.graph.first_step import METHODS
from fanin.graph.optimizer import named

GRADIENT = np.array([[3e-1, -2e-9], [0.0, 5.0]])


@pytest.mark.parametrize("name", METHODS)
def test_a_step_goes_against_its_gradient_and_leaves_what_has_none(name):
    step = named(name, 0.1).first_step({"w": GRADIENT}, {"w": GRADIENT})["w"]

    assert np.array_equal(np.sign(step), -np.sign(GRADIENT))


@pytest.mark.parametrize("name", METHODS)
def test_only_scale_free_methods_pass_over_the_size_of_a_gradient(name):
    facts = named(name, 0.1)
    once = facts.first_step({"w": GRADIENT}, {"w": np.ones((2, 2))})["w"]
    tenfold = facts.first_step({"w": GRADIENT}, {"w": np.full((2, 2), 10.0)})["w"]
    ratio = 1.0 if facts.is_scale_free else 10.0

    assert tenfold == pytest.approx(ratio * once, rel=1e-7)
    assert facts.is_scale_free != facts.is_proportional


def test_without_a_rate_no_step_is_known():
    assert named("adam").first_step is None


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="adamw"):
        named("adamwm")


def test_what_is_in_no_group_has_no_rate():
    from dataclasses import replace

    facts = replace(named("sgd", 0.1), rates={"a": 0.5}, unstepped=("b",))

    assert [facts.rate_of(path) for path in "abc"] == [0.5, 0.0, 0.1]
