"""Which entries are looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.prescription.verification.sample import RUN, Sample, chosen, power

SIZES = st.integers(1, 10**6)


@given(n=SIZES, sample=st.integers(1, 5000), seed=st.integers(0, 2**64 - 1))
def test_places_are_different_and_within(n, sample, seed):
    places = chosen("w", n, sample, seed)

    assert np.all(np.diff(places) > 0)
    assert 0 <= places[0] <= places[-1] < n
    assert len(places) <= max(sample, min(n, sample))
    assert len(places) > min(n, sample) - RUN


@given(n=st.integers(10**4, 10**6), start=st.floats(0, 1), seed=st.integers(0, 99))
def test_a_part_of_two_stretches_is_always_met(n, start, seed):
    places = chosen("w", n, 1024, seed)
    length = -(-2 * n * RUN // 1024) + 1
    first = int(start * (n - length))

    assert np.any((first <= places) & (places < first + length))


def test_every_entry_can_be_met():
    met = np.zeros(100, dtype=int)
    for seed in range(2000):
        met[chosen("w", 100, 16, seed)] += 1

    assert met.min() > 0


def test_the_same_question_gets_the_same_places():
    assert np.array_equal(chosen("w", 10**6, 64, 0), chosen("w", 10**6, 64, 0))
    assert not np.array_equal(chosen("w", 10**6, 64, 0), chosen("v", 10**6, 64, 0))
    assert not np.array_equal(chosen("w", 10**6, 64, 0), chosen("w", 10**6, 64, 1))


def test_all_entries_come_in_pieces(monkeypatch):
    monkeypatch.setattr("fanin.prescription.verification.sample.PIECE", 4)
    pieces = list(Sample(size=None).places("w", 10))

    assert [piece.tolist() for piece in pieces] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]


@pytest.mark.parametrize("share", [0.0005, 0.002])
def test_a_scattered_change_is_met_as_often_as_is_said(share):
    generator = np.random.default_rng(7)
    n_trials, sample, n = 4000, 512, 200_000
    places = chosen("w", n, sample, 0)
    changed = generator.random((n_trials, len(places))) < share
    found = np.mean(changed.any(axis=1))
    expected = power(sample, share)
    tolerance = 5 * np.sqrt(expected * (1 - expected) / n_trials)

    assert abs(found - expected) < tolerance
    assert abs(found - power(int(sample * 0.8), share)) > tolerance
