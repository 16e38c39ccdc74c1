"""Looking at large arrays without copies of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fanin.graph.units import UnitSlice
from fanin.rules.equal_units import classes, n_alike, repeated, rows
from fanin.rules.noise import _numbers, generic, moved
from fanin.rules.sampled import (
    MOST,
    PIECE,
    is_constant,
    is_finite,
    is_zero,
    largest,
    pieces,
    root_mean_square,
    sampled,
)

NUMBERS = st.floats(-4, 4, width=32)
SMALL = arrays(np.float32, array_shapes(max_dims=3, max_side=6), elements=NUMBERS)


@given(SMALL)
def test_small_arrays_are_read_whole(value):
    assert sampled(value).tolist() == value.reshape(-1).tolist()
    assert np.concatenate(list(pieces(value))).tolist() == value.reshape(-1).tolist()
    assert is_zero(value) == (not value.any())
    assert is_constant(value) == (value.min() == value.max())
    assert largest(value) == np.abs(value).max()
    assert root_mean_square(value) == pytest.approx(
        np.sqrt(np.mean(value.astype(np.float64) ** 2)), rel=1e-12
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_bad_number_in_many_is_found(bad):
    value = np.zeros((2000, 1000), dtype=np.float32)
    value[1234, 567] = bad

    assert not is_finite(value)
    assert not is_zero(value)


def test_one_number_among_many_zeros_is_found():
    value = np.zeros((2000, 1000), dtype=np.float32)
    value[1999, 999] = 1e-30

    assert not is_zero(value)
    assert not is_constant(value)
    assert is_zero(np.zeros((2000, 1000)))


def test_a_sample_has_no_entry_twice_and_the_right_median():
    value = np.arange(3.0 * MOST).reshape(3, MOST)
    found = sampled(value)

    assert len(np.unique(found)) == MOST
    error = 5 * 0.5 * value.size / MOST**0.5  # of a median of uniform numbers
    assert abs(np.median(found) - np.median(value)) < error


def test_a_square_that_leaves_float32_is_summed_all_the_same():
    value = np.full((1000, 600), 1e25, dtype=np.float32)

    assert root_mean_square(value) == pytest.approx(1e25, rel=1e-6)


def test_pieces_of_transposed_arrays_hold_every_entry():
    value = np.random.default_rng(0).standard_normal((600, 1000)).T

    assert sum(len(piece) for piece in pieces(value)) == value.size
    assert sum(piece.sum() for piece in pieces(value)) == pytest.approx(value.sum())


def test_generic_numbers_do_not_depend_on_how_they_are_cut():
    whole = generic("a", (PIECE + 7,), 3)
    zeros = np.zeros(PIECE + 7, dtype=np.float32)
    steps = moved("a", zeros, np.ones(zeros.shape, dtype=bool), 3)

    assert np.array_equal(_numbers("a", PIECE - 5, PIECE + 7, 3), whole[PIECE - 5 :])
    assert not np.array_equal(whole[:7], whole[PIECE:])
    assert steps == pytest.approx(0.02 * whole, rel=1e-6)


@given(
    arrays(np.float64, (6, 4, 3), elements=st.sampled_from([0.0, 1.0])),
    st.sampled_from([0, 1]),
)
def test_as_many_agree_in_few_entries_as_in_all_or_more(value, axis):
    part = UnitSlice(path="w", axis=axis)
    size = value.shape[axis]
    table = rows([part], {"w": value}, size)
    equal = sum(len(members) for members in repeated(classes(table)))

    assert n_alike([part], {"w": value}, size) >= equal


def test_units_of_a_flattened_map_are_compared_by_their_own_entries():
    value = np.arange(24.0).reshape(2, 12)
    value[:, 4:8] = value[:, 0:4]  # unit 1 of three has what unit 0 has
    part = UnitSlice(path="w", axis=1, repeat=4, unit_step=4)

    assert n_alike([part], {"w": value}, 3) == 2
