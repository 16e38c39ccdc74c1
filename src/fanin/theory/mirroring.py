"""Mirrored units: pairs z and −z, read with opposite signs, which make a layer odd.

A layer whose units stand in pairs, with rows v and −v and columns w and −w, gives
Σ w·(φ(z) − φ(−z)): what is read is an odd function of z, whatever φ is. For ReLU, leaky
ReLU, and every φ(x) = x·g(x) with g(x) + g(−x) constant (GELU: Φ(x) + Φ(−x) = 1; SiLU;
hardswish) and for softplus it is a multiple of z itself: at the start the net is
linear, and with orthogonal weights it keeps every length and every gradient at any
depth. Balduzzi et al. (2017), "The shattered gradients problem", section 4
(looks-linear initialization, for ReLU); Shang et al. (2016), "Understanding and
improving convolutional neural networks via concatenated ReLU".

Where φ − φ(0) is odd already the pair holds one unit twice. φ′ is then even, so the two
get gradients of opposite sign and stay mirror images for ever: n units would train as
n/2. Such functions must not be mirrored, and gain nothing by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction

PROBES: Final = np.concatenate([[1e-4, 1e-3, 1e-2], np.linspace(0.05, 6.0, 120)])
TOLERANCE: Final = 1e-6
"""Of the larger of 1 and the values: a function replayed in float32 is odd too."""


@dataclass(frozen=True)
class Mirrored:
    """x ↦ (φ(x) − φ(−x))/√2: what weights w, −w read of a pair of units, for one unit.

    A sum over n units in pairs, Σ w·(φ(z) − φ(−z)) over n/2, has second moment
    (n/2)·Var(w)·E[(φ(z) − φ(−z))²] = n·Var(w)·E[f(z)²] with f this function: rules for
    n independent units hold with φ replaced by it.

    >>> relu = Mirrored(lambda x: np.maximum(x, 0.0))
    >>> (relu(np.array([-2.0, 3.0])) * np.sqrt(2)).round(12).tolist()
    [-2.0, 3.0]
    """

    function: ScalarFunction

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Give (φ(x) − φ(−x))/√2."""
        x = np.asarray(x, dtype=np.float64)
        return np.asarray((self.function(x) - self.function(-x)) / sqrt(2.0))


@dataclass(frozen=True)
class Centred:
    """x ↦ φ(x) − c: what a layer reads whose bias is −c·(sum of its row).

    >>> Centred(lambda x: x**2, 1.0)(np.array([3.0])).tolist()
    [8.0]
    """

    function: ScalarFunction
    offset: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Give φ(x) − c."""
        return np.asarray(self.function(np.asarray(x, dtype=np.float64)) - self.offset)


def odd_about(function: ScalarFunction) -> float | None:
    """Give c = φ(0) where φ − c is odd, else None.

    >>> odd_about(np.tanh), odd_about(lambda x: 1 / (1 + np.exp(-x)))
    (0.0, 0.5)
    >>> odd_about(lambda x: np.maximum(x, 0.0)) is None
    True
    """
    right, left = _both_sides(function)
    if right is None or left is None:
        return None
    centre = float(np.asarray(function(np.zeros(1)))[0])
    size = np.maximum(1.0, np.abs(right))
    is_odd = np.all(np.abs(right + left - 2.0 * centre) <= TOLERANCE * size)
    return centre if is_odd else None


def can_be_mirrored(function: ScalarFunction) -> bool:
    """Say whether a pair of mirrored units is two units, and not one or none.

    None where φ is even: φ(z) − φ(−z) = 0.

    >>> [can_be_mirrored(f) for f in (np.tanh, np.cos, lambda x: np.maximum(x, 0.0))]
    [False, False, True]
    """
    right, left = _both_sides(function)
    if right is None or left is None or odd_about(function) is not None:
        return False
    spread = np.abs(right - left)
    return bool(np.any(spread > TOLERANCE * np.maximum(1.0, np.abs(right))))


def _both_sides(
    function: ScalarFunction,
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Give φ(x) and φ(−x) at the probes, None where they are not finite."""
    with np.errstate(all="ignore"):
        right, left = np.asarray(function(PROBES)), np.asarray(function(-PROBES))
    if not (np.isfinite(right).all() and np.isfinite(left).all()):
        return None, None
    return right, left
