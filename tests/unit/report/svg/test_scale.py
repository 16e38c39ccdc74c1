"""Scales and ticks: round numbers, in range, never too many."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.report.svg.axes import spread
from fanin.report.svg.scale import Scale, range_of

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)


@given(low=NUMBERS, width=st.floats(1e-3, 1e9))
def test_linear_ticks_are_few_and_in_range(low, width):
    scale = Scale(low=low, high=low + width, start=0, end=100)
    if not scale.high - scale.low > 1e-9 * abs(low):
        return
    values = [value for value, _ in scale.ticks]

    slack = 1e-6 * width + 1e-9 * abs(low)
    assert len(values) <= 7
    assert all(low - slack <= v <= low + width + slack for v in values)


@given(st.floats(-290, 290), st.floats(0.1, 200))
def test_log_ticks_are_few_and_in_range(exponent, decades):
    low, high = 10.0**exponent, 10.0 ** min(exponent + decades, 300)
    scale = Scale(low=low, high=high, start=0, end=100, is_log=True)

    assert len(scale.ticks) <= 8
    assert all(0.99 * low <= v <= 1.01 * high for v, _ in scale.ticks)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True)), st.booleans())
def test_a_range_holds_all_that_can_be_shown(values, is_log):
    small = [v for v in values if not 1e200 < abs(v) < math.inf]
    low, high = range_of(small, is_log=is_log)

    scale = Scale(low=low, high=high, start=0, end=1, is_log=is_log)
    shown = [v for v in small if scale.can_show(v)]
    assert low < high
    assert all(
        low * (1 - 1e-9) - 1e-300 <= abs(v) * (v > 0) or not v > 0 for v in shown
    )
    assert all(v <= high or math.isclose(v, high) for v in shown)


@given(st.lists(st.floats(0, 300), max_size=12))
def test_spread_places_keep_their_order_gap_and_bounds(places):
    moved = spread(places, 16.0, 0.0, 300.0)

    ordered = [moved[i] for i in sorted(range(len(places)), key=places.__getitem__)]
    gaps = [b - a for a, b in pairwise(ordered)]
    assert all(gap >= 16.0 - 1e-9 for gap in gaps)
    assert all(-1e-9 <= place <= 300 + 1e-9 for place in moved)


@given(st.lists(st.floats(0, 10_000), max_size=6, unique_by=lambda v: round(v / 40)))
def test_places_far_apart_are_left_alone(places):
    far = [place * 2 for place in places]

    if all(abs(a - b) >= 16 for a in far for b in far if a is not b):
        assert spread(far, 16.0, -100.0, 30_000.0) == pytest.approx(far)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-3.0, 300.0, ["0", "100", "200", "300"]),
    ],
)
def test_linear_ticks_read_well(low, high, labels):
    scale = Scale(low=low, high=high, start=0, end=1)

    assert [words for _, words in scale.ticks] == labels


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (1e-2, 1e1, ["10⁻²", "10⁻¹", "1", "10"]),
        (1e-6, 1e6, ["10⁻⁶", "10⁻⁴", "10⁻²", "1", "10²", "10⁴", "10⁶"]),
        (0.8, 6.0, ["1", "2", "5"]),
    ],
)
def test_log_ticks_read_well(low, high, labels):
    scale = Scale(low=low, high=high, start=0, end=1, is_log=True)

    assert [words for _, words in scale.ticks] == labels
