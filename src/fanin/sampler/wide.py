"""From two 32-bit words to one float64: the same laws with 64 bits.

The first word is the one that float32 reads, so a float64 draw refines the float32
draw; the second is the same element's word in plane 1. Whole numbers of 64 bits, their
conversion to float64 and one multiplication: the same bits wherever those exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.sampler.table import wide_table

if TYPE_CHECKING:
    from fanin.sampler.truncation import Cut

NORMAL_BITS = 59
UNIFORM_BITS = 53
MAGNITUDE = np.uint64(2**63 - 1)
HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)


def joined(words: np.ndarray, second_words: np.ndarray) -> np.ndarray:
    """Give first word · 2³² + second word: uint64."""
    return (words.astype(np.uint64) << HALF) | second_words.astype(np.uint64)


def normal_units(words: np.ndarray) -> np.ndarray:
    """Give normal numbers in units of 2⁻⁵⁹ std; |error of z| < 2⁻⁵⁶.

    Args:
        words: "n" uint64.

    Returns:
        "n" int64.
    """
    return _signed(_heights(words & MAGNITUDE), words)


def truncated_units(words: np.ndarray, cut: Cut) -> np.ndarray:
    """Give normal numbers between ±cut, in units of 2⁻⁵⁹ of the std before the cut.

    m′ = A + ⌊m·(2⁶³ − A)/2⁶³⌋ with A = Φ(−cut)·2⁶⁴.
    """
    first = np.uint64(cut.first_64)
    left = np.uint64(2**63) - first
    doubled = (words & MAGNITUDE) << np.uint64(1)
    heights = _heights(first + high_product(doubled, left))
    return _signed(np.minimum(heights, np.int64(cut.limit_64)), words)


def uniform_units(words: np.ndarray) -> np.ndarray:
    """Give uniform numbers in units of 2⁻⁵³ bound: every odd number below 2⁵³ in size.

    >>> uniform_units(np.array([0, 2**63], dtype=np.uint64)).tolist() == [1 - 2**53, 1]
    True
    """
    doubled = (words >> np.uint64(11)).astype(np.int64) << np.int64(1)
    return doubled + np.int64(1 - 2**UNIFORM_BITS)


def to_float64(units: np.ndarray, scale: float, bits: int) -> np.ndarray:
    """Give float64(units) · (scale · 2^−bits): one conversion, one product."""
    return units.astype(np.float64) * (scale * 2.0**-bits)


def high_product(left: np.ndarray, right: np.ndarray | np.uint64) -> np.ndarray:
    """Give ⌊left · right / 2⁶⁴⌋ of unsigned numbers, by the schoolbook in halves.

    >>> high_product(np.array([2**63], dtype=np.uint64), np.uint64(6)).tolist()
    [3]
    """
    left_high, left_low = left >> HALF, left & LOW
    right_high, right_low = right >> HALF, right & LOW
    middle = left_high * right_low + ((left_low * right_low) >> HALF)
    other = left_low * right_high + (middle & LOW)
    product: np.ndarray = left_high * right_high + (middle >> HALF) + (other >> HALF)
    return product


def _heights(magnitude: np.ndarray) -> np.ndarray:
    """Give |z| in Q4.59 from m: octave, segment, and Horner's rule on six powers."""
    table = wide_table()
    octave = _floor_log2(magnitude)
    fraction = (magnitude << (np.uint64(63) - octave)) << np.uint64(1)
    segment = (octave << np.uint64(6)) + (fraction >> np.uint64(58))
    position = fraction << np.uint64(6)
    height: np.ndarray = table[-1][segment]
    for coefficients in table[-2::-1]:
        height = coefficients[segment] + _signed_high_product(height, position)
    return height


def _signed_high_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Give ⌊left · right / 2⁶⁴⌋ of a signed and an unsigned number: int64."""
    product = high_product(left.view(np.uint64), right).view(np.int64)
    return product - np.where(left < 0, right.view(np.int64), np.int64(0))


def _floor_log2(magnitude: np.ndarray) -> np.ndarray:
    """Give ⌊log₂(m | 1)⌋: the exponent of a float64 that was not rounded up."""
    leading = (magnitude & ~(magnitude >> np.uint64(1))) | np.uint64(1)
    bits = leading.astype(np.float64).view(np.uint64)
    exponent: np.ndarray = (bits >> np.uint64(52)) - np.uint64(1023)
    return exponent


def _signed(heights: np.ndarray, words: np.ndarray) -> np.ndarray:
    minus = np.uint64(0) - (words >> np.uint64(63))
    signed: np.ndarray = (heights.view(np.uint64) ^ minus) - minus
    return signed.view(np.int64)
