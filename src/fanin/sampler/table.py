"""The normal tables, computed by ``tools/make_normal_table.py`` and shipped as data."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent


@cache
def narrow_table() -> tuple[np.ndarray, np.ndarray]:
    """Give base (Q4.28) and slope (Q4.24) of the 31 × 128 segments, both uint32.

    >>> [part.shape for part in narrow_table()]
    [(3968,), (3968,)]
    """
    table = _load("normal32.npy")
    return np.ascontiguousarray(table[0]), np.ascontiguousarray(table[1])


@cache
def wide_table() -> np.ndarray:
    """Give the coefficients (Q4.59, power 0 first) of the 63 × 64 segments, int64.

    >>> wide_table().shape
    (7, 4032)
    """
    return _load("normal64.npy")


def _load(name: str) -> np.ndarray:
    table: np.ndarray = np.load(FOLDER / name, allow_pickle=False)
    table.setflags(write=False)
    return table
