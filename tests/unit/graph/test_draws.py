"""Numbers that are there, or that a function gives, fill memory rounded once."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.graph.draws import Computed, Draw, Listed, as_draw
from fanin.graph.region import Region
from fanin.graph.rounding import bfloat16_bits, write_rounded

VALUES = np.arange(12.0).reshape(4, 3)


def of_index(index):
    """Give 2·index + 1 of a (4, 3) parameter."""
    every = 2.0 * np.arange(12.0).reshape(4, 3) + 1.0
    return every if index is None else every.ravel()[index]


@pytest.mark.parametrize(
    ("draw", "whole"),
    [
        (Listed(VALUES), VALUES),
        (Computed(of_index, (4, 3)), of_index(None)),
        (as_draw(of_index), of_index(None)),
    ],
    ids=["listed", "function", "adapted"],
)
def test_a_region_is_filled_with_its_own_numbers(draw, whole):
    region = Region((1, 1), (3, 2))
    part, everything = np.empty((3, 2)), np.empty((4, 3), dtype=np.float32)
    draw.fill(part, region)
    draw.fill(everything)

    assert np.array_equal(part, whole[1:4, 1:3])
    assert np.array_equal(everything, whole)
    assert np.array_equal(draw(np.array([5, 0])), whole.ravel()[[5, 0]])


def test_a_draw_that_can_fill_is_left_as_it_is():
    draw = Listed(VALUES)

    assert isinstance(draw, Draw)
    assert as_draw(draw) is draw


@pytest.mark.parametrize(
    "out",
    [np.empty((3, 4)), np.empty((3, 4)).T, np.broadcast_to(np.zeros(3), (4, 3))],
    ids=["shape", "not contiguous", "locked"],
)
def test_memory_that_does_not_fit_is_refused(out):
    with pytest.raises(ArgumentError, match="C-contiguous array of shape"):
        Listed(VALUES).fill(out)


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=50))
def test_bfloat16_is_rounded_as_ml_dtypes_does(bits):
    numbers = np.array(bits, dtype=np.uint32).view(np.float32)
    numbers = np.where(np.isnan(numbers), np.float32(0), numbers)
    with np.errstate(over="ignore"):
        expected = numbers.astype(ml_dtypes.bfloat16).view(np.uint16)

    assert np.array_equal(bfloat16_bits(numbers), expected)


def test_float64_reaches_bfloat16_with_one_rounding():
    halfway = 1.0 + 2.0**-8  # between two neighbours; a hair above it goes up
    numbers = np.array([halfway, halfway + 2.0**-40, halfway - 2.0**-40, -halfway])
    out = np.zeros(4, dtype=ml_dtypes.bfloat16)
    write_rounded(out, numbers)

    assert out.astype(float).tolist() == [1.0, 1.0 + 2.0**-7, 1.0, -1.0]


def test_bfloat16_bits_are_copied_as_they_are():
    numbers = np.array([1.5, -3.0], dtype=ml_dtypes.bfloat16)
    out = np.zeros(2, dtype=np.uint16)
    write_rounded(out, numbers)

    assert out.view(ml_dtypes.bfloat16).tolist() == [1.5, -3.0]


def test_no_number_stays_no_number_in_bfloat16():
    quiet_low = np.array([0x7F800001], dtype=np.uint32).view(np.float32)

    assert np.isnan(bfloat16_bits(quiet_low).view(ml_dtypes.bfloat16).astype(float)[0])
