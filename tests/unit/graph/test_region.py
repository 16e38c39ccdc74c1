"""A box of an array names the same entries by indices, by slices and by runs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.graph.region import Region


@st.composite
def boxes(draw):
    """Draw a whole shape of up to four axes, and a box in it (empty ones too)."""
    whole = tuple(draw(st.lists(st.integers(0, 5), max_size=4)))
    start = tuple(draw(st.integers(0, n)) for n in whole)
    shape = tuple(
        draw(st.integers(0, n - s)) for n, s in zip(whole, start, strict=True)
    )
    return whole, Region(start, shape)


@given(boxes())
def test_indices_are_those_of_the_slices(box):
    whole, region = box
    expected = np.arange(np.prod(whole, dtype=int)).reshape(whole)[region.slices]

    assert region.indices(whole).tolist() == expected.ravel().tolist()
    assert region.shape == expected.shape
    assert region.size == expected.size


@given(boxes())
def test_runs_are_the_indices_in_their_order_and_none_touches_the_next(box):
    whole, region = box
    runs = list(region.runs(whole))
    listed = [first + i for first, length in runs for i in range(length)]

    assert listed == region.indices(whole).tolist()
    assert all(length > 0 for _, length in runs)
    assert len({length for _, length in runs}) <= 1
    assert all(a + n < b for (a, n), (b, _) in pairwise(runs))


def test_the_whole_is_one_run():
    assert list(Region.all((3, 4, 5)).runs((3, 4, 5))) == [(0, 60)]
    assert list(Region.all(()).runs(())) == [(0, 1)]


def test_a_box_is_given_by_slices():
    region = Region.of_slices((slice(None, 2), slice(1, 9)), (4, 3))

    assert region == Region((0, 1), (2, 2))


@pytest.mark.parametrize(
    "slices",
    [(slice(0, 4, 2), slice(None)), (slice(None),)],
    ids=["steps", "too few"],
)
def test_slices_that_are_no_box_are_refused(slices):
    with pytest.raises(ArgumentError, match="2 slices of step 1"):
        Region.of_slices(slices, (4, 3))


def test_a_region_with_a_negative_number_is_refused():
    with pytest.raises(ArgumentError, match="from 0 on"):
        Region((0, -1), (1, 1))


def test_a_region_without_all_axes_is_refused():
    with pytest.raises(ArgumentError, match="as many starts as lengths"):
        Region((0,), (1, 1))


@pytest.mark.parametrize("whole", [(3, 3), (4,)], ids=["too small", "other axes"])
def test_a_region_outside_the_array_is_refused(whole):
    with pytest.raises(ArgumentError, match="a box in an array of shape"):
        Region((2, 0), (2, 3)).indices(whole)
