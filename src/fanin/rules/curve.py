"""The shape of an activation, read off its values: where is it flat?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction

# Flat: under 5 % of the steepest slope (tanh beyond |z| = 2.18, sigmoid beyond 4.36).
FLAT_SHARE = 0.05
# Far enough that tanh, sigmoid, erf and their kin have no slope left.
FAR = 30.0


@dataclass(frozen=True, kw_only=True)
class Curve:
    """How a scalar function bends.

    steepest: largest |φ′| on a grid over ±10. is_flat_left, is_flat_right: no slope
    far out. is_rectifier: exactly zero with zero slope left of 0, and not right of it.
    """

    steepest: float
    is_flat_left: bool
    is_flat_right: bool
    is_rectifier: bool

    @property
    def saturates(self) -> bool:
        """Say whether it is flat on both sides: tanh, sigmoid, hard tanh."""
        return self.is_flat_left and self.is_flat_right


def slope(function: ScalarFunction, z: np.ndarray) -> np.ndarray:
    """Give φ′(z) by a central difference, step 1e-5·(1 + |z|); error about 1e-9.

    >>> slope(np.tanh, np.array([0.0])).round(6).tolist()
    [1.0]
    """
    step = 1e-5 * (1.0 + np.abs(z))
    with np.errstate(all="ignore"):
        return np.asarray((function(z + step) - function(z - step)) / (2.0 * step))


def curve_of(function: ScalarFunction) -> Curve:
    """Read the shape off a grid.

    >>> curve_of(np.tanh).saturates, curve_of(lambda z: np.maximum(z, 0)).is_rectifier
    (True, True)
    """
    grid = np.linspace(-10.0, 10.0, 2001)
    steepest = float(np.nanmax(np.abs(slope(function, grid))))
    left, right = np.abs(slope(function, np.array([-FAR, FAR])))
    limit = FLAT_SHARE * steepest
    below = np.array([-8.0, -3.0, -1.0, -0.1])
    is_zero = bool(np.all(np.asarray(function(below)) == 0.0))
    at_one = float(np.abs(slope(function, np.array([1.0])))[0])
    return Curve(
        steepest=steepest,
        is_flat_left=bool(left < limit),
        is_flat_right=bool(right < limit),
        is_rectifier=is_zero and at_one > limit,
    )


def flat_share(function: ScalarFunction, z: np.ndarray) -> float:
    """Give the share of these pre-activations at which the function is flat.

    >>> flat_share(np.tanh, np.array([0.0, 1.0, 3.0, -5.0]))
    0.5
    """
    if not z.size:
        return 0.0
    limit = FLAT_SHARE * curve_of(function).steepest
    return float(np.mean(np.abs(slope(function, np.asarray(z, dtype=float))) < limit))
