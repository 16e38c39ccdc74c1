"""Expectations of a function of a Gaussian, found from the function's values alone.

The line is cut into panels, and a panel is halved until Gauss-Legendre quadrature on
it agrees with the sum over its halves: so kinks and jumps, wherever they are, end in
panels too small to matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph.graph import ScalarFunction

N_NODES = 16
FARTHEST = 12.0  # the tail beyond weighs 4e-33
N_PANELS = 48
SMALLEST_PANEL = 1e-12
SMOOTH_PANEL = 1e-9
TOLERANCE = 1e-15


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
        """E[φ(x)²]."""
        return self.expect(self.values**2)

    @property
    def fourth_moment(self) -> float:
        """E[φ(x)⁴]."""
        return self.expect(self.values**4)

    @property
    def slope_second_moment(self) -> float:
        """E[φ′(x)²]."""
        return self.expect(self.slopes**2)


def gaussian_rule(
    function: ScalarFunction, *, mean: float = 0.0, variance: float = 1.0
) -> GaussianRule:
    """Place the nodes for one function and one Gaussian.

    Args:
        function: on float64 arrays of any shape, finite values within 12 standard
            deviations of the mean; its slope is that of the panel's interpolant.
        mean: of x.
        variance: of x, ≥ 0.

    Raises:
        ArgumentError: if the variance is negative or not finite, or the function gives
            another shape or values that are not finite.
    """
    if not (np.isfinite(mean) and np.isfinite(variance) and variance >= 0.0):
        received, expected = (mean, variance), "a finite mean and a variance ≥ 0"
        raise ArgumentError.of(argument="moments", received=received, expected=expected)
    deviation = float(np.sqrt(variance))

    def composed(z: np.ndarray) -> np.ndarray:
        return _values(function, mean + deviation * z)

    left, right = _panels(composed)
    nodes, weights = _legendre()
    half = (right - left) / 2
    z = (left + right)[:, None] / 2 + half[:, None] * nodes
    values = composed(z)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    slopes = values @ _differentiation().T / half[:, None]
    slopes[half < SMOOTH_PANEL] = 0.0  # a jump, or a kink: no slope, and no weight
    return GaussianRule(
        z=z.ravel(),
        weights=(half[:, None] * weights * density).ravel(),
        values=values.ravel(),
        slopes=slopes.ravel() / deviation
        if deviation > 0
        else _slope(function, mean, z),
    )


def _panels(
    function: Callable[[np.ndarray], np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Halve panels until each agrees with its halves; give their ends, sorted."""
    edges = np.linspace(-FARTHEST, FARTHEST, N_PANELS + 1)
    left, right = edges[:-1], edges[1:]
    done: list[tuple[np.ndarray, np.ndarray]] = []
    largest = 0.0
    while left.size:
        middle = (left + right) / 2
        whole, low, high = (
            _integrals(function, a, b)
            for a, b in ((left, right), (left, middle), (middle, right))
        )
        largest = max(largest, float(np.max(np.abs(whole))))
        error = np.max(np.abs(whole - low - high), axis=0)
        is_done = (error <= TOLERANCE * largest) | (right - left < SMALLEST_PANEL)
        done.append((left[is_done], right[is_done]))
        a, m, b = left[~is_done], middle[~is_done], right[~is_done]
        left, right = np.concatenate([a, m]), np.concatenate([m, b])
    starts = np.concatenate([a for a, _ in done])
    ends = np.concatenate([b for _, b in done])
    order = np.argsort(starts)
    return starts[order], ends[order]


def _integrals(
    function: Callable[[np.ndarray], np.ndarray], left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Integrate φ and φ² against the density, on each panel: (2, panels)."""
    nodes, weights = _legendre()
    half = (right - left)[:, None] / 2
    z = (left + right)[:, None] / 2 + half * nodes
    values = function(z)
    density = half * weights * np.exp(-(z**2) / 2)
    return np.stack([(values * density).sum(1), (values**2 * density).sum(1)])


def _values(function: ScalarFunction, x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        values = np.asarray(function(x), dtype=np.float64)
    if values.shape != x.shape or not np.isfinite(values).all():
        expected = "a scalar function with finite values, applied to each entry"
        raise ArgumentError.of(
            argument="function", received=function, expected=expected
        )
    return values


def _slope(function: ScalarFunction, mean: float, z: np.ndarray) -> np.ndarray:
    """Give φ′(mean), by a central difference, for a Gaussian without spread."""
    step = 1e-6 * max(1.0, abs(mean))
    ends = _values(function, np.array([mean - step, mean + step]))
    return np.full(z.size, (ends[1] - ends[0]) / (2 * step))


@cache
def _legendre() -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.legendre.leggauss(N_NODES)
    return nodes, weights


@cache
def _differentiation() -> np.ndarray:
    """Give the matrix that takes values at the nodes to slopes there (barycentric)."""
    nodes, _ = _legendre()
    gaps = nodes[:, None] - nodes + np.eye(N_NODES)
    products = gaps.prod(axis=1)
    matrix: np.ndarray = products[:, None] / (products * gaps)
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return matrix
