"""Numbers rounded once into the memory of a narrower type, bfloat16 among them.

NumPy has no bfloat16. Its memory is named by ml_dtypes where that is installed, and by
the bits themselves, uint16, where it is not: a parameter is never of whole numbers.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np


def is_bfloat16(array: np.ndarray) -> bool:
    """Say whether an array is the memory of bfloat16 numbers.

    >>> is_bfloat16(np.zeros(2, dtype=np.uint16)), is_bfloat16(np.zeros(2))
    (True, False)
    """
    return stored_as(array.dtype) == "bfloat16"


@cache
def stored_as(dtype: np.dtype[Any]) -> str:
    """Name the type of the numbers that memory of a dtype holds.

    >>> stored_as(np.dtype(np.uint16)), stored_as(np.dtype(np.float32))
    ('bfloat16', 'float32')
    """
    return "bfloat16" if dtype == np.uint16 else dtype.name


def write_rounded(out: np.ndarray, numbers: np.ndarray) -> None:
    """Write numbers into an array of the same shape, to nearest, ties to even.

    Args:
        out: float64, float32, float16, or bfloat16 (ml_dtypes', or its bits as uint16).
        numbers: of any of these types.

    >>> out = np.zeros(2, dtype=np.uint16)
    >>> write_rounded(out, np.array([1.0, -2.5]))
    >>> [hex(bits) for bits in out.tolist()]
    ['0x3f80', '0xc020']
    """
    if not is_bfloat16(out):
        with np.errstate(over="ignore", under="ignore"):
            out[...] = numbers
    elif is_bfloat16(numbers):
        out.view(np.uint16)[...] = numbers.view(np.uint16)
    else:
        out.view(np.uint16)[...] = bfloat16_bits(numbers)


def bfloat16_bits(numbers: np.ndarray) -> np.ndarray:
    """Give the upper half of float32's bits, rounded to nearest, ties to even: uint16.

    >>> bfloat16_bits(np.array([1.00390625, 1.01171875, np.nan])).tolist()
    [16256, 16258, 32704]
    """
    exact = rounded_to_odd(numbers) if numbers.dtype == np.float64 else numbers
    bits = np.ascontiguousarray(exact, dtype=np.float32).view(np.uint32)
    carried = bits + (((bits >> np.uint32(16)) & np.uint32(1)) + np.uint32(0x7FFF))
    quiet = np.uint32(0x7FC00000)
    rounded: np.ndarray = np.where(np.isnan(exact), quiet, carried)
    return (rounded >> np.uint32(16)).astype(np.uint16)


def rounded_to_odd(array: np.ndarray) -> np.ndarray:
    """Round float64 to float32: what is not exact gets a last bit of 1.

    A second rounding to a half type is then right, as if it had been the only one
    (Boldo and Melquiond, 2008, "Emulation of FMA and correctly rounded sums: proved
    algorithms using rounding to odd", theorem 3).
    """
    with np.errstate(over="ignore", under="ignore"):
        nearest = array.astype(np.float32)
    is_past = np.abs(nearest) > np.abs(array)
    towards_zero = np.where(is_past, np.nextafter(nearest, np.float32(0.0)), nearest)
    is_exact = (nearest == array) | ~np.isfinite(array)
    bits = towards_zero.view(np.uint32)
    return np.where(is_exact, bits, bits | np.uint32(1)).view(np.float32)


def rounded_to(numbers: np.ndarray, dtype: str | None) -> np.ndarray:
    """Give numbers that a type holds exactly: those of bfloat16 as float32.

    Args:
        numbers: float64 or float32.
        dtype: a name; numbers of any but the four floating types, or of none, stay.

    >>> rounded_to(np.array([1.01171875]), "bfloat16").tolist()
    [1.015625]
    """
    if dtype == "bfloat16":
        bits = bfloat16_bits(numbers).astype(np.uint32) << np.uint32(16)
        return bits.view(np.float32)
    if dtype in {"float16", "float32"}:
        with np.errstate(over="ignore", under="ignore"):
            return numbers.astype(dtype)
    return numbers
