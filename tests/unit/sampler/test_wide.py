import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.sampler import narrow
from fanin.sampler.truncation import cut_at
from fanin.sampler.wide import (
    high_product,
    normal_units,
    truncated_units,
    uniform_units,
)

WORD = st.integers(0, 2**64 - 1)
EDGES = sorted(
    {2**e + d for e in range(2, 63) for d in (-1, 0, 1)}
    | {2**62 + (s << 56) + d for s in range(64) for d in (-1, 0, 2**55)}
    | {2**e + (2**e // 3) for e in range(2, 63)}
    | {2**63 - 1}
)


def one(function, word, *further):
    return int(function(np.array([word], dtype=np.uint64), *further)[0])


def error(magnitude):
    """The height less the quantile: one Newton step from the one to the other."""
    with mp.workdps(45):
        height = mp.mpf(one(normal_units, magnitude)) / 2**59
        p = (mp.mpf(magnitude) + 0.5) / mp.mpf(2) ** 64
        return (p - mp.erfc(height / mp.sqrt(2)) / 2) / mp.npdf(height)


@pytest.mark.parametrize("magnitude", EDGES)
def test_a_height_is_the_quantile_to_56_bits(magnitude):
    assert abs(error(magnitude)) < 2.0**-56


@given(WORD)
def test_the_top_bit_is_the_sign_and_no_more(word):
    assert one(normal_units, word) == -one(normal_units, word ^ 2**63)


@given(WORD, WORD)
def test_the_high_product_is_that_of_whole_numbers(left, right):
    arrays = (np.array([factor], dtype=np.uint64) for factor in (left, right))

    assert high_product(*arrays).tolist() == [left * right >> 64]


@given(WORD)
def test_a_far_cut_changes_nothing(word):
    assert one(truncated_units, word, cut_at(math.inf)) == one(normal_units, word)


@given(
    st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.sampled_from([2.0, 0.5])
)
def test_a_wide_number_refines_the_narrow_one(word, second, cut):
    both = word << 32 | second
    for wide, small, further in (
        (normal_units, narrow.normal_units, ()),
        (truncated_units, narrow.truncated_units, (cut_at(cut),)),
    ):
        fine = one(wide, both, *further) / 2.0**59
        coarse = one(small, word, *further) / 2.0**28

        # Nearer to 0 than the stated error a height may round past it.
        assert fine * coarse >= 0 or abs(fine) < 2.0**-56
        assert abs(coarse) > 4 or fine == pytest.approx(coarse, abs=1e-5)


@given(WORD)
def test_a_uniform_number_is_odd_and_below_the_bound(word):
    units = one(uniform_units, word)

    assert units % 2 == 1
    assert abs(units) < 2**53
    assert one(uniform_units, word ^ (2**64 - 1)) == -units


@pytest.mark.parametrize("cut", [0.1, 1.0, 2.0, 7.0, 9.5])
def test_no_number_lies_beyond_the_cut(cut):
    words = np.arange(0, 2**63, 2**63 // 99991, dtype=np.uint64)
    units = truncated_units(words, cut_at(cut))

    assert np.abs(units).max() <= math.floor(cut * 2.0**59)
    assert np.abs(units).max() == pytest.approx(min(cut, 9.080155) * 2**59, rel=1e-6)
