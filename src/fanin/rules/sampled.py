"""Looks at a large array without a copy of it: some entries, or a piece at a time.

A sample of n entries gives a median or a share within about 1/√n of itself; rules that
ask for factors of ten lose nothing by it. What must hold for every entry (finite, zero,
constant) is answered for all of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST: Final = 1 << 14
"""Entries of a sample."""
PIECE: Final = 1 << 18
"""Entries widened to float64 at a time."""
STRIDE: Final = 0x9E3779B1
"""A prime: entries this far apart, counted round the array, meet no pattern in it."""


def sampled(value: np.ndarray, most: int = MOST) -> np.ndarray:
    """Give at most so many entries as float64: all of them where there are no more.

    >>> sampled(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [1.0, 2.0, 3.0, 4.0]
    >>> len(sampled(np.zeros((100, 100)), 50))
    50
    """
    if value.size <= most:
        return np.asarray(value, dtype=np.float64).reshape(-1)
    places = _places(most, value.size)
    if value.flags.c_contiguous:
        return np.asarray(value.reshape(-1)[places], dtype=np.float64)
    return np.asarray(value[np.unravel_index(places, value.shape)], dtype=np.float64)


@lru_cache(maxsize=32)
def _places(most: int, size: int) -> np.ndarray:
    found: np.ndarray = np.arange(most, dtype=np.int64) * STRIDE % size
    found.flags.writeable = False  # one array serves all weights of a size
    return found


def pieces(value: np.ndarray) -> Iterator[np.ndarray]:
    """Yield all entries in row-major order as flat pieces in float64.

    >>> [piece.tolist() for piece in pieces(np.array([[1.0, 2.0]], dtype=np.float32))]
    [[1.0, 2.0]]
    """
    if value.size <= PIECE or value.flags.c_contiguous:
        flat = value.reshape(-1)
        for start in range(0, flat.size, PIECE):
            yield flat[start : start + PIECE].astype(np.float64)
        return
    for part in value:
        yield from pieces(part)


def is_finite(value: np.ndarray) -> bool:
    """Say whether no entry is NaN or infinite.

    >>> is_finite(np.array([1.0, 2.0])), is_finite(np.array([np.nan, 2.0]))
    (True, False)
    """
    if not value.size:
        return True
    return bool(np.isfinite(value.min()) and np.isfinite(value.max()))


def is_zero(value: np.ndarray) -> bool:
    """Say whether every entry is 0; most arrays are told from a few entries.

    >>> is_zero(np.zeros(3)), is_zero(np.array([0.0, np.nan])), is_zero(np.zeros(0))
    (True, False, True)
    """
    if value.size > PIECE and np.any(sampled(value, 64)):
        return False
    return not np.any(value)


def is_constant(value: np.ndarray) -> bool:
    """Say whether all entries are one number.

    >>> is_constant(np.ones(3)), is_constant(np.array([1.0, 2.0]))
    (True, False)
    """
    if not value.size or np.ptp(sampled(value, 64)) != 0.0:
        return not value.size
    return bool(value.min() == value.max())


def largest(value: np.ndarray) -> float:
    """Give the largest absolute value; 0 for an empty array.

    >>> largest(np.array([1.0, -3.0]))
    3.0
    """
    if not value.size:
        return 0.0
    return max(abs(float(value.min())), abs(float(value.max())))


def root_mean_square(value: np.ndarray) -> float:
    """Give √(mean of squares) in float64; 0 for an empty array.

    >>> root_mean_square(np.array([3.0, -4.0, 0.0, 0.0]))
    2.5
    """
    if not value.size:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        total = sum(float(np.square(piece).sum()) for piece in pieces(value))
    return float(np.sqrt(total / value.size))
