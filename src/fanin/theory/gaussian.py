"""Expectations of a function of a Gaussian, found from the function's values alone.

`fanin.activations` cuts the function into pieces that are smooth and finds its kinks,
jumps and slopes; Gauss-Legendre quadrature does the rest, piece by piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.activations import find_activation
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from fanin.activations import Activation
    from fanin.graph.graph import ScalarFunction

FARTHEST: Final = 12.0
"""In standard deviations; the tail beyond weighs 4e-33."""
N_PANELS: Final = 48
LEGENDRE: Final = np.polynomial.legendre.leggauss(16)
LARGEST_RADIUS: Final = 2.0**20
"""Kinks are looked for up to here."""


@dataclass(frozen=True, kw_only=True)
class GaussianRule:
    """A function of x = mean + √variance·z, z ~ N(0, 1), at well-placed nodes.

    z: nodes, weights: of the quadrature, Gaussian density included, values: φ(x) and
    slopes: φ′(x) there, all float64 of one length. Expectations of φ, φ² and of them
    times polynomials in z: |error| < 1e-12 relative for piecewise smooth φ.

    >>> rule = gaussian_rule(lambda x: np.maximum(x, 0.0))
    >>> round(rule.second_moment, 12), round(rule.slope_second_moment, 12)
    (0.5, 0.5)
    """

    z: np.ndarray
    weights: np.ndarray
    values: np.ndarray
    slopes: np.ndarray

    def expect(self, numbers: np.ndarray) -> float:
        """Give E of a quantity known at the nodes."""
        return float(self.weights @ numbers)

    @property
    def mean(self) -> float:
        """E[φ(x)]."""
        return self.expect(self.values)

    @property
    def second_moment(self) -> float:
        """E[φ(x)²]; infinite beyond float64's range."""
        with np.errstate(over="ignore"):
            return self.expect(self.values**2)

    @property
    def kurtosis(self) -> float:
        """E[φ(x)⁴]/E[φ(x)²]², 0 for a function that is 0."""
        largest = float(np.abs(self.values).max())
        if largest == 0.0:
            return 0.0
        squares = (self.values / largest) ** 2
        second = self.expect(squares)
        return self.expect(squares**2) / second**2 if second > 0.0 else 0.0

    @property
    def slope_second_moment(self) -> float:
        """E[φ′(x)²]."""
        return self.expect(self.slopes**2)


def gaussian_rule(
    function: ScalarFunction, *, mean: float = 0.0, variance: float = 1.0
) -> GaussianRule:
    """Place the nodes for one function and one Gaussian.

    Slopes are those that a gradient sees: where the function jumps, 0.

    Args:
        function: on float64 arrays of any shape, with finite values within 12 standard
            deviations of the mean.
        mean: of x.
        variance: of x, ≥ 0.

    Raises:
        ArgumentError: if the variance is negative or not finite, or the function gives
            another shape or values that are not finite.
    """
    if not (np.isfinite(mean) and np.isfinite(variance) and variance >= 0.0):
        received, expected = (mean, variance), "a finite mean and a variance ≥ 0"
        raise ArgumentError.of(argument="moments", received=received, expected=expected)
    activation = _activation_of(function)
    deviation = float(np.sqrt(variance))
    radius = min(abs(mean) + FARTHEST * deviation, LARGEST_RADIUS)
    pieces = activation.pieces_within(radius)
    edges = np.linspace(-FARTHEST, FARTHEST, N_PANELS + 1)
    if deviation > 0.0:
        kinks = (pieces.edges - mean) / deviation
        edges = np.union1d(edges, kinks[np.abs(kinks) < FARTHEST])
    nodes, weights = LEGENDRE
    half = np.diff(edges)[:, None] / 2.0
    z = (edges[:-1, None] + half * (nodes + 1.0)).ravel()
    x = mean + deviation * z
    values = activation(x)
    if not np.isfinite(values).all():
        expected = "finite within 12 standard deviations of the mean"
        raise ArgumentError.of(
            argument="function", received=function, expected=expected
        )
    slopes = np.where(pieces.is_short[pieces.index(x)], 0.0, pieces.slope(x))
    density = np.exp(-(z**2) / 2.0) / np.sqrt(2.0 * np.pi)
    return GaussianRule(
        z=z, weights=(half * weights).ravel() * density, values=values, slopes=slopes
    )


class Same:
    """A function as a key: equal to itself alone, whether it can be hashed or not."""

    def __init__(self, function: ScalarFunction) -> None:
        self.function = function

    def __hash__(self) -> int:
        return id(self.function)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.function is self.function


def _activation_of(function: ScalarFunction) -> Activation:
    """Give the function with its pieces, which are found once."""
    return _remembered(Same(function))


@lru_cache(maxsize=256)
def _remembered(same: Same) -> Activation:
    return find_activation(same.function)
