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
    holm,
    paired_difference,
    paired_p,
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


def test_a_paired_p_value_is_that_of_scipy():
    ones, others = [0.91, 0.85, 0.97, 0.88], [0.90, 0.86, 0.93, 0.84]

    assert paired_p(ones, others) == pytest.approx(
        scipy.stats.ttest_rel(ones, others).pvalue, rel=1e-10
    )


def test_equal_runs_are_no_evidence_and_one_pair_is_none():
    assert paired_p([0.1, 0.1], [0.1, 0.1]) == 1.0
    assert paired_p([0.2, 0.2], [0.1, 0.1]) == 0.0
    assert math.isnan(paired_p([0.2], [0.1]))


def test_holm_is_bonferroni_for_the_least_and_never_falls():
    p = [0.04, 0.01, 0.02, 0.5]
    corrected = holm(p)

    assert corrected[1] == pytest.approx(0.04)
    assert corrected[2] == pytest.approx(0.06)
    assert corrected[0] == pytest.approx(0.08)
    assert corrected[3] == pytest.approx(0.5)


def test_holm_leaves_out_what_is_unknown():
    assert holm([0.01, math.nan])[0] == 0.01
    assert math.isnan(holm([0.01, math.nan])[1])


def test_holm_holds_the_rate_of_any_false_claim():
    # 2000 experiments of 6 true null hypotheses each: at most 5 % with any claim.
    uniform = np.random.default_rng(5).random((2000, 6))
    wrong = np.mean([min(holm(row.tolist())) < 0.05 for row in uniform])

    assert wrong < 0.05 + 5 * (0.05 * 0.95 / 2000) ** 0.5
    assert np.mean(uniform.min(axis=1) < 0.05) > 0.2  # what uncorrected tests claim
