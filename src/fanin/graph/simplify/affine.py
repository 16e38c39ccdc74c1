"""Functions that only multiply by a number and add one, found by evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction

FAR: Final = 2.0**20  # a power of two, so that its products are exact
CLOSE: Final = 1e-12  # some rounding errors of float64

_NEAR = np.array([0.0, 1.0, -1.0, 0.3, -2.7])
_SIZES = 10.0 ** np.arange(-12.0, 19.0, 0.37)
_EVERYWHERE = np.concatenate([_SIZES, -_SIZES])
"""Every half order of magnitude on both sides: no clip in use lies between them."""


def affine_of(function: ScalarFunction) -> tuple[float, float] | None:
    """Give (factor, offset) if the function is factor·x + offset, else None.

    It is evaluated at ±2²⁰ for the slope and at 0 for the offset, then held to the line
    at 10⁻¹² … 10¹⁹ on both sides, within 10⁻¹² of the larger term.

    >>> affine_of(lambda x: x / 8.0 + 1.0)
    (0.125, 1.0)
    >>> affine_of(np.abs) is None
    True
    """
    with np.errstate(all="ignore"):
        zero, high, low = np.asarray(function(np.array([0.0, FAR, -FAR])))
        line = (float(high - low) / (2.0 * FAR), float(zero))
        if not np.all(np.isfinite(line)):
            return None
        for points in (_NEAR, _EVERYWHERE):
            expected = line[0] * points + line[1]
            sizes = np.abs(line[0] * points) + abs(line[1])
            misses = np.abs(np.asarray(function(points)) - expected)
            if not np.all(misses <= CLOSE * sizes):
                return None
    return line


def details_of(line: tuple[float, float] | None) -> dict[str, object]:
    """Give the details of a node whose function is that line; none if it is no line.

    >>> details_of((2.0, 0.0))
    {'is_affine': True, 'factor': 2.0, 'offset': 0.0}
    """
    if line is None:
        return {}
    return {"is_affine": True, "factor": line[0], "offset": line[1]}
