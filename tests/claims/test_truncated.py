"""The 0.8796 of the truncated normal: derived, and held against Keras and a sample."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.schemes import truncated_std

CUT = sp.Symbol("cut", positive=True)
W = sp.Symbol("w", real=True)


@cache
def derived_variance():
    """Integrate w² over the normal density cut at ±cut, by SymPy."""
    density = sp.exp(-(W**2) / 2)
    mass = sp.integrate(density, (W, -CUT, CUT))
    return sp.simplify(sp.integrate(W**2 * density, (W, -CUT, CUT)) / mass)


@settings(deadline=None)
@given(cut=st.floats(0.05, 8.0))
def test_the_std_of_a_cut_normal_is_the_integral(cut):
    exact = sp.sqrt(derived_variance().subs(CUT, sp.Float(cut, 50))).evalf(20)

    assert truncated_std(cut) == pytest.approx(float(exact), rel=1e-11)


def test_cut_at_two_it_is_the_number_that_keras_prints():
    exact = sp.sqrt(derived_variance().subs(CUT, 2)).evalf(20)

    assert truncated_std() == pytest.approx(float(exact), rel=1e-15)
    # keras.initializers.VarianceScaling (3.15) divides by this constant.
    assert truncated_std() == pytest.approx(0.87962566103423978, rel=1e-15)


def test_a_sample_of_a_cut_normal_has_that_std_and_not_one_two_percent_off():
    draws = np.random.default_rng(4).standard_normal(500_000)
    kept = draws[np.abs(draws) <= 2.0]
    error = (kept**2).std() / math.sqrt(len(kept))
    variance = (kept**2).mean()

    assert abs(variance - truncated_std() ** 2) < 5 * error
    assert abs(variance - (1.02 * truncated_std()) ** 2) > 5 * error


def test_without_a_cut_nothing_is_lost():
    assert truncated_std(40.0) == 1.0


@pytest.mark.parametrize("cut", [0.0, -1.0, math.nan])
def test_a_cut_at_or_below_zero_is_refused(cut):
    with pytest.raises(ArgumentError, match="'cut' must be above 0"):
        truncated_std(cut)
