"""From one 32-bit word to one float32: whole numbers until the last step.

Float polynomials are not equal everywhere (compilers contract a·b + c, and every
library has its own log). Whole numbers of 32 bits, their conversion to float32 and ONE
multiplication are. Plain NumPy: the oracle for every faster version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.sampler.table import narrow_table

if TYPE_CHECKING:
    from fanin.sampler.truncation import Cut

NORMAL_BITS = 28
UNIFORM_BITS = 24
MAGNITUDE = np.uint32(0x7FFFFFFF)


def normal_units(words: np.ndarray) -> np.ndarray:
    """Give normal numbers in units of 2⁻²⁸ std.

    The top bit is the sign; the other 31 are the magnitude m, and Φ(−|z|) = m/2³² up to
    the table's error, |error of z| < 1e-5.

    Args:
        words: "n" uint32.

    Returns:
        "n" int32, never 0.
    """
    return _signed(_heights(words & MAGNITUDE), words)


def truncated_units(words: np.ndarray, cut: Cut) -> np.ndarray:
    """Give normal numbers between ±cut, in units of 2⁻²⁸ of the std before the cut.

    The magnitudes are squeezed into those that are left: m′ = A + ⌊m·(2³¹ − A)/2³¹⌋.

    Args:
        words: "n" uint32.
        cut: where to cut.
    """
    first = np.uint64(cut.first_32)
    left = np.uint64(2**31) - first
    magnitude = (words & MAGNITUDE).astype(np.uint64)
    magnitude = first + ((magnitude * left) >> np.uint64(31))
    heights = np.minimum(_heights(magnitude.astype(np.uint32)), cut.limit_32)
    return _signed(heights, words)


def uniform_units(words: np.ndarray) -> np.ndarray:
    """Give uniform numbers in units of 2⁻²⁴ bound: every odd number below 2²⁴ in size.

    >>> uniform_units(np.array([0, 0x80000000, 0xFFFFFFFF], dtype=np.uint32)).tolist()
    [-16777215, 1, 16777215]
    """
    doubled = (words >> np.uint32(8)).astype(np.int32) << np.int32(1)
    return doubled + np.int32(1 - 2**UNIFORM_BITS)


def to_float32(units: np.ndarray, scale: float, bits: int) -> np.ndarray:
    """Give float32(units) · float32(scale · 2^−bits): one conversion, one product.

    >>> to_float32(np.array([2**28], dtype=np.int32), 0.5, 28).tolist()
    [0.5]
    """
    factor = np.float32(scale * 2.0**-bits)
    return units.astype(np.float32) * factor


def _heights(magnitude: np.ndarray) -> np.ndarray:
    """Give |z| in Q4.28 from m: octave, segment, offset, and a straight line."""
    base, slope = narrow_table()
    octave = _floor_log2(magnitude)
    fraction = (magnitude << (np.uint32(31) - octave)) & MAGNITUDE
    segment = (octave << np.uint32(7)) + (fraction >> np.uint32(24))
    offset = (fraction >> np.uint32(9)) & np.uint32(0x7FFF)
    drop: np.ndarray = (slope[segment] * offset) >> np.uint32(11)
    heights: np.ndarray = base[segment] - drop
    return heights


def _floor_log2(magnitude: np.ndarray) -> np.ndarray:
    """Give ⌊log₂(m | 1)⌋, the exponent of a float32 that was not rounded up.

    With the bit after the leading one cleared, rounding cannot carry into the next
    power of two.
    """
    leading = (magnitude & ~(magnitude >> np.uint32(1))) | np.uint32(1)
    bits = leading.astype(np.float32).view(np.uint32)
    exponent: np.ndarray = (bits >> np.uint32(23)) - np.uint32(127)
    return exponent


def _signed(heights: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Give heights the sign that the top bit of the words says: 1 is minus."""
    minus = np.uint32(0) - (words >> np.uint32(31))
    signed: np.ndarray = (heights ^ minus) - minus
    return signed.view(np.int32)
