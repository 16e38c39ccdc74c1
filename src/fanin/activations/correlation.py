"""E[f(u)·g(v)] for correlated Gaussians u, v, exact at kinks and at any correlation.

With u = σ₁(a·s + b·d), v = σ₂(a·s − b·d), a² + b² = 1 and s, d independent N(0, 1), the
correlation is a² − b². For each d the integrand is smooth in s between the corners of f
and g, which move with d; and the integral over s is smooth in d but where two corners
cross. So panels between corners, and between crossings, give all digits, also where
u ≈ v and the joint density is a narrow ridge.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

REACH: Final = 9.0
"""How many standard deviations are integrated."""
RULE: Final = np.polynomial.legendre.leggauss(16)
STEPS: Final = np.array([-9.0, -6.5, -4.5, -3.0, -1.5, 0.0, 1.5, 3.0, 4.5, 6.5, 9.0])
"""Edges between which a Gaussian is smooth enough for sixteen points."""
CROWD: Final = 1e-9
"""Corners nearer to each other than this are one."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two functions: itself, σ of its argument, its edges and corners."""

    function: Callable[[np.ndarray], np.ndarray]
    sigma: float
    edges: np.ndarray
    corners: np.ndarray

    def mirrored(self) -> Side:
        """Give x ↦ f(−x)."""
        return Side(
            function=lambda x: self.function(-x),
            sigma=self.sigma,
            edges=-self.edges[::-1],
            corners=-self.corners[::-1],
        )

    def marks(self) -> np.ndarray:
        """Give the corners, and every other edge, in units of σ, where they can be."""
        marks = np.union1d(self.corners, self.edges[::2]) / self.sigma
        near: np.ndarray = marks[np.abs(marks) < 1.5 * REACH]  # a·s + b·d ≤ √2·REACH
        return near


def joint_moment(first: Side, second: Side, correlation: float) -> float:
    """Give E[f(u)·g(v)], u and v of mean 0 and of that correlation.

    Args:
        first: f and σ of u, > 0.
        second: g and σ of v, > 0.
        correlation: of u and v, from −1 to 1.
    """
    if correlation < 0.0:
        return joint_moment(first, second.mirrored(), -correlation)
    u, v, weight = _places(first, second, 1.0 - correlation)
    with np.errstate(all="ignore"):
        product = _at(first, u) * _at(second, v)
        return float((weight * product).sum())


def half_squared_difference(side: Side, gap: float) -> float:
    """Give E[(f(u) − f(v))²]/2 for u, v of equal variance and correlation 1 − gap.

    It is E[f²] − E[f(u)·f(v)] without the cancellation: relative accuracy holds down
    to gaps at which the difference of two moments has no digit left.

    Args:
        side: f and σ.
        gap: 1 less the correlation, from 0 to 1.
    """
    u, v, weight = _places(side, side, gap)
    with np.errstate(all="ignore"):
        difference = _at(side, u) - _at(side, v)
        return float((weight * difference**2).sum()) / 2.0


def _places(
    first: Side, second: Side, gap: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give nodes u/σ₁ and v/σ₂ of correlation 1 − gap ≥ 0, and their weights."""
    a, b = sqrt(1.0 - gap / 2.0), sqrt(gap / 2.0)
    d, d_weight = _points(_crossings(first, second, b))
    shift = (b * d)[:, None]
    marks = np.concatenate(
        [
            (first.marks() - shift) / a,
            (second.marks() + shift) / a,
            np.broadcast_to(STEPS, (len(d), len(STEPS))),
        ],
        axis=1,
    )
    s, s_weight = _points(np.sort(np.clip(marks, -REACH, REACH), axis=1))
    return a * s + shift, a * s - shift, d_weight[:, None] * s_weight


def _at(side: Side, z: np.ndarray) -> np.ndarray:
    return side.function(side.sigma * z.ravel()).reshape(z.shape)


def _crossings(first: Side, second: Side, b: float) -> np.ndarray:
    """Give the edges along d: where a corner of f meets one of g, and the steps."""
    if b < CROWD:
        return STEPS
    corners = [_spread(side.corners / side.sigma) for side in (first, second)]
    meets = np.subtract.outer(corners[0], corners[1]).ravel() / (2.0 * b)
    return np.unique(np.concatenate([STEPS, meets[np.abs(meets) < REACH]]))


def _spread(corners: np.ndarray) -> np.ndarray:
    """Give the corners within reach, one of those that crowd together."""
    near = corners[np.abs(corners) < 2.0 * REACH]
    alone: np.ndarray = near[np.diff(near, prepend=-np.inf) > CROWD]
    return alone


def _points(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give points between the edges (last axis), and weights with the density in."""
    half = np.diff(edges)[..., None] / 2.0
    points = edges[..., :-1, None] + half * (RULE[0] + 1.0)
    weight = half * RULE[1] * np.exp(-(points**2) / 2.0) / sqrt(2.0 * np.pi)
    shape = (*edges.shape[:-1], -1)
    return points.reshape(shape), weight.reshape(shape)
