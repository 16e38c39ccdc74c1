"""Intervals over seeds hold what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.race.statistics import (
    Estimate,
    paired_difference,
    student_cdf,
    student_quantile,
)


@pytest.mark.parametrize("n_free", [1, 2, 3, 4, 5, 9, 20, 51])
def test_the_distribution_is_students(n_free):
    places = np.linspace(-8, 8, 33)

    mine = [student_cdf(t, n_free) for t in places]
    assert mine == pytest.approx(scipy.stats.t.cdf(places, n_free), abs=1e-14)


@pytest.mark.parametrize("n_free", [1, 2, 3, 4, 9, 30])
@pytest.mark.parametrize("share", [0.025, 0.5, 0.9, 0.975, 0.995])
def test_the_quantile_is_students(n_free, share):
    expected = scipy.stats.t.ppf(share, n_free)

    assert student_quantile(share, n_free) == pytest.approx(expected, abs=1e-9)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_an_estimate_agrees_with_numpy(values):
    found = Estimate.of(values)

    scale = 1 + max(map(abs, values))
    assert found.mean == pytest.approx(np.mean(values), abs=1e-9 * scale)
    assert found.sd == pytest.approx(np.std(values, ddof=1), abs=1e-6 * scale)
    assert found.low <= found.mean <= found.high


def coverage(quantile):
    """How often mean ± quantile·s/√3 holds the true mean, of 20 000 samples of 3."""
    draws = np.random.default_rng(0).standard_normal((20_000, 3))
    half = quantile * draws.std(axis=1, ddof=1) / math.sqrt(3)
    return float((np.abs(draws.mean(axis=1)) <= half).mean())


def test_the_interval_covers_the_mean_as_often_as_it_says():
    tolerance = 5 * math.sqrt(0.95 * 0.05 / 20_000)

    assert coverage(student_quantile(0.975, 2)) == pytest.approx(0.95, abs=tolerance)
    # A normal's 1.96 in its place is seen to be wrong.
    assert coverage(1.96) != pytest.approx(0.95, abs=tolerance)


def test_one_value_has_no_interval():
    found = Estimate.of([0.5])

    assert (found.mean, found.n) == (0.5, 1)
    assert all(math.isnan(v) for v in (found.sd, found.low, found.high))
    assert not found.is_clear


def test_no_values_are_refused():
    with pytest.raises(ArgumentError, match="at least one number"):
        Estimate.of([])


def test_what_a_seed_does_to_both_drops_out_of_the_difference():
    seeds = [0.1, 5.0, -3.0, 8.0]
    found = paired_difference([s + 1.0 for s in seeds], seeds)

    assert found.mean == pytest.approx(1.0)
    assert found.sd == pytest.approx(0.0, abs=1e-12)
    assert found.is_clear
