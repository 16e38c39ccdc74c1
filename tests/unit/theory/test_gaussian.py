"""Quadrature from values alone: kinks and jumps anywhere, any mean and variance."""

from __future__ import annotations

from math import erf, exp, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.activations import ACTIVATIONS
from fanin.errors import ArgumentError
from fanin.theory.gaussian import gaussian_rule


def normal(x):
    return exp(-(x**2) / 2) / sqrt(2 * pi), (1 + erf(x / sqrt(2))) / 2


@given(kink=st.floats(-3, 3), mean=st.floats(-2, 2), variance=st.floats(0.01, 20))
def test_a_kink_anywhere_costs_nothing(kink, mean, variance):
    rule = gaussian_rule(
        lambda x: np.maximum(x - kink, 0.0), mean=mean, variance=variance
    )
    density, below = normal((mean - kink) / sqrt(variance))

    expected = (mean - kink) * below + sqrt(variance) * density
    assert rule.mean == pytest.approx(expected, abs=1e-11)
    assert rule.slope_second_moment == pytest.approx(below, abs=1e-8)


@given(jump=st.floats(-3, 3))
def test_a_jump_has_its_probability_and_no_slope(jump):
    rule = gaussian_rule(lambda x: (x > jump) * 1.0)

    assert rule.second_moment == pytest.approx(1 - normal(jump)[1], abs=1e-10)
    assert rule.slope_second_moment == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=lambda a: a.name)
@pytest.mark.parametrize("q", [0.1, 1.0, 5.0])
def test_both_ways_to_integrate_agree(activation, q):
    rule, moments = (
        gaussian_rule(activation.function, variance=q),
        activation.moments(q),
    )

    assert rule.mean == pytest.approx(moments.mean, abs=1e-9)
    assert rule.second_moment == pytest.approx(moments.second_moment, rel=1e-9)


def test_without_spread_the_function_is_taken_at_its_mean():
    rule = gaussian_rule(np.tanh, mean=0.5, variance=0.0)

    assert rule.mean == pytest.approx(np.tanh(0.5))
    assert rule.slope_second_moment == pytest.approx((1 - np.tanh(0.5) ** 2) ** 2)


@pytest.mark.parametrize("variance", [-1.0, float("nan"), float("inf")])
def test_a_variance_that_cannot_be_is_refused(variance):
    with pytest.raises(ArgumentError, match="variance ≥ 0"):
        gaussian_rule(np.tanh, variance=variance)


def test_a_function_that_is_no_scalar_function_is_refused():
    with pytest.raises(ArgumentError, match="keeps the shape"):
        gaussian_rule(lambda x: x.sum())


def test_a_function_that_is_not_finite_is_refused():
    with pytest.raises(ArgumentError, match="finite within 12"):
        gaussian_rule(np.log)
