import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.sampler.narrow import (
    NORMAL_BITS,
    UNIFORM_BITS,
    normal_units,
    to_float32,
    truncated_units,
    uniform_units,
)
from fanin.sampler.truncation import cut_at

WORD = st.integers(0, 2**32 - 1)
EDGES = [
    *(2**e + d for e in range(1, 31) for d in (-1, 0, 1)),
    *(2**30 + (s << 23) + d for s in range(128) for d in (-1, 0, 255, 256)),
    2**31 - 1,
    0,
]


def one(function, word, *further):
    return int(function(np.array([word], dtype=np.uint32), *further)[0])


def exact(magnitude):
    p = (mp.mpf(magnitude) + 0.5) / 2**32
    return float(mp.sqrt(2) * mp.erfinv(1 - 2 * p))


@pytest.mark.parametrize("magnitude", sorted(set(EDGES))[2:])
def test_a_height_is_the_quantile(magnitude):
    z = one(normal_units, magnitude) / 2**NORMAL_BITS

    assert z == pytest.approx(exact(magnitude), abs=1e-5)


@given(WORD)
def test_the_top_bit_is_the_sign_and_no_more(word):
    assert one(normal_units, word) == -one(normal_units, word ^ 2**31)


@pytest.mark.parametrize("octave", range(31))
def test_heights_fall_as_magnitudes_rise(octave):
    step = max(1, 2**octave // 5000)
    magnitudes = np.arange(2**octave, 2 ** (octave + 1), step, dtype=np.uint32)
    last = np.array([2 ** (octave + 1) - 1, min(2 ** (octave + 1), 2**31 - 1)])
    heights = normal_units(np.append(magnitudes, last.astype(np.uint32)))

    assert np.all(np.diff(heights) <= 0)


def test_no_height_is_zero():
    assert one(normal_units, 2**31 - 1) == 27


def test_the_largest_number_is_that_of_magnitudes_zero_and_one():
    assert one(normal_units, 0) == one(normal_units, 1) == 1672422721


@given(WORD)
def test_a_far_cut_changes_nothing(word):
    assert one(truncated_units, word, cut_at(10.0)) == one(normal_units, word)


@pytest.mark.parametrize("cut", [0.1, 0.5, 1.0, 2.0, 3.0, 6.5])
def test_no_number_lies_beyond_the_cut(cut):
    words = np.append(np.arange(0, 2**32, 9973), np.arange(4096)).astype(np.uint32)
    units = truncated_units(words, cut_at(cut))

    assert np.abs(units).max() <= math.floor(cut * 2**NORMAL_BITS)
    assert np.abs(units).max() == pytest.approx(min(cut, 6.23) * 2**28, rel=1e-3)
    assert np.abs(units).min() > 0


@pytest.mark.parametrize("cut", [0.1, 0.5, 1.0, 2.0, 3.0, 5.0])
def test_a_cut_law_has_the_promised_std(cut):
    # Every 1021st magnitude: a midpoint sum, exact to about 1e-6.
    words = np.arange(510, 2**31, 1021, dtype=np.uint32)
    units = truncated_units(words, cut_at(cut)) / 2.0**NORMAL_BITS
    std = math.sqrt(np.mean(units**2))

    assert std == pytest.approx(float(cut_at(cut).std_ratio), rel=1e-5)
    assert std * 1.02 != pytest.approx(float(cut_at(cut).std_ratio), rel=1e-5)


@given(WORD)
def test_a_uniform_number_is_odd_and_below_the_bound(word):
    units = one(uniform_units, word)

    assert units % 2 == 1
    assert abs(units) < 2**UNIFORM_BITS
    assert one(uniform_units, word ^ 0xFFFFFFFF) == -units


@given(st.floats(1e-29, 1e37))
def test_the_largest_uniform_number_stays_below_the_bound(bound):
    units = uniform_units(np.array([0, 2**32 - 1], dtype=np.uint32))
    numbers = to_float32(units, bound, UNIFORM_BITS)

    assert np.abs(numbers).max() < np.float32(bound)


@pytest.mark.parametrize("scale", [1e-29, 1e37])
def test_nothing_is_subnormal_or_infinite_at_the_ends_of_the_range(scale):
    words = np.array([2**31 - 1, 2**31, 0, 2**32 - 1], dtype=np.uint32)
    for units, bits in (
        (normal_units(words), NORMAL_BITS),
        (uniform_units(words), UNIFORM_BITS),
    ):
        sizes = np.abs(to_float32(units, scale, bits))

        assert sizes.min() >= np.finfo(np.float32).smallest_normal
        assert np.isfinite(sizes).all()
        assert np.float32(scale * 2.0**-bits) >= np.finfo(np.float32).smallest_normal
