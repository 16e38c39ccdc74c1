"""Gaussian moments of a scalar function: E[φ], E[φ²], E[φ′²] for z ~ N(0, q).

Gauss–Legendre quadrature between edges at every kink and every standard deviation, so
that each panel's integrand is smooth. Two rules, of 20 and 16 points, are compared
panel by panel; what they differ by, and the error of the slopes, is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.activations.pieces import Pieces
    from fanin.graph.graph import ScalarFunction

REACHES: Final = (12.0, 20.0, 30.0, 37.0)
"""How many standard deviations are integrated; the next where the tail still counts."""
NEGLIGIBLE: Final = 1e-15
"""Share of the second moment that a tail may hold."""
FINE: Final = np.polynomial.legendre.leggauss(20)
COARSE: Final = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True, kw_only=True)
class ActivationMoments:
    """Moments of φ(z) for z ~ N(0, q).

    mean: E[φ]. second_moment: E[φ²]. derivative_second_moment: E[φ′²], infinite where
    φ jumps. second_moment_slope: dE[φ²]/dq, by which a disturbance of q grows.
    error: bound of the absolute error of the first three; infinite where a moment is
    infinite or cannot be found. has_jump: whether φ jumps where z can be.
    """

    q: float
    mean: float
    second_moment: float
    derivative_second_moment: float
    second_moment_slope: float
    error: float
    has_jump: bool = False

    @property
    def variance(self) -> float:
        """Give E[φ²] − E[φ]²: what is left of E[φ²] when the mean says nothing."""
        return self.second_moment - self.mean**2


@dataclass(frozen=True, kw_only=True)
class _Integrals:
    """Sums over the panels, or one entry a panel."""

    mean: np.ndarray
    square: np.ndarray
    curved: np.ndarray
    """∫ φ²·(z² − 1): twice q times the slope of the second moment."""


def gaussian_moments(
    function: ScalarFunction, pieces_within: Callable[[float], Pieces], q: float
) -> ActivationMoments:
    """Integrate φ, φ², φ′² against N(0, q).

    Args:
        function: φ, float64 array → float64 array, entry by entry.
        pieces_within: radius → φ's pieces on at least (−radius, radius).
        q: variance of z, > 0.
    """
    with np.errstate(all="ignore"):
        return _moments(function, pieces_within, q)


def _moments(
    function: ScalarFunction, pieces_within: Callable[[float], Pieces], q: float
) -> ActivationMoments:
    sigma = sqrt(q)
    for reach in REACHES:
        pieces = pieces_within(reach * sigma)
        edges = panels(pieces.edges, sigma, reach)
        fine = _integrate(function, edges, sigma, FINE)
        if _is_tail_negligible(fine, edges, sigma, reach):
            break
    else:
        return _without_value(q, fine)
    coarse = _integrate(function, edges, sigma, COARSE)
    return _assemble(q, fine, coarse, pieces, edges)


def moments_at_zero(value: float, pieces: Pieces) -> ActivationMoments:
    """Give the limit of the moments as q → 0, from φ(0) and the pieces beside 0.

    E[φ′²] becomes the mean of both one-sided slopes squared, and dE[φ²]/dq becomes
    E[φ′²] + φ(0)·E[φ″], infinite where φ has a kink at 0 and φ(0) ≠ 0.
    """
    sides = np.array([-1.0, 1.0]) * np.finfo(np.float64).tiny
    slopes = pieces.slope(sides)
    off = float(pieces.slope_error[pieces.index(sides)].max())
    has_jump = bool(pieces.jumps[pieces.edges[1:-1] == 0.0].any())
    derivative = inf if has_jump else float((slopes**2).mean())
    turn = float(slopes[1] - slopes[0])
    is_kink = abs(turn) > 2.0 * off
    bend = inf * turn if is_kink else float(pieces.curvature(sides).mean())
    return ActivationMoments(
        q=0.0,
        mean=value,
        second_moment=value**2,
        derivative_second_moment=derivative,
        second_moment_slope=derivative + (value * bend if value else 0.0),
        error=inf if has_jump else off * (2.0 * float(np.abs(slopes).max()) + off),
        has_jump=has_jump,
    )


def panels(edges: np.ndarray, sigma: float, reach: float) -> np.ndarray:
    """Give the edges within reach, with one at each standard deviation besides."""
    steps = np.arange(-reach, reach + 0.5) * sigma
    inside = edges[np.abs(edges) < reach * sigma]
    return np.unique(np.concatenate([steps, inside]))


def _nodes(
    edges: np.ndarray, rule: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Give the points "panels points" and the weights of that shape."""
    half = np.diff(edges)[:, None] / 2.0
    return edges[:-1, None] + half * (rule[0] + 1.0), half * rule[1]


def _integrate(
    function: ScalarFunction,
    edges: np.ndarray,
    sigma: float,
    rule: tuple[np.ndarray, np.ndarray],
) -> _Integrals:
    x, weight = _nodes(edges, rule)
    z = x / sigma
    # The root of the density: φ² may leave float64's range where φ²·density does not.
    root = np.exp(-(z**2) / 4.0) / (2.0 * np.pi) ** 0.25
    damped = function(x.ravel()).reshape(x.shape) * root
    square = weight / sigma * damped**2
    return _Integrals(
        mean=(weight / sigma * damped * root).sum(axis=1),
        square=square.sum(axis=1),
        curved=(square * (z**2 - 1.0)).sum(axis=1),
    )


def _is_tail_negligible(
    fine: _Integrals, edges: np.ndarray, sigma: float, reach: float
) -> bool:
    is_outer = np.abs(edges[:-1] + edges[1:]) / 2.0 > (reach - 1.0) * sigma
    total = fine.square.sum()
    return bool(fine.square[is_outer].sum() <= NEGLIGIBLE * total < inf)


def _without_value(q: float, fine: _Integrals) -> ActivationMoments:
    """Say that an integral does not converge, or that φ is not a number somewhere."""
    value = nan if np.isnan(fine.square).any() else inf
    return ActivationMoments(
        q=q,
        mean=nan,
        second_moment=value,
        derivative_second_moment=value,
        second_moment_slope=value,
        error=inf,
    )


def _assemble(
    q: float, fine: _Integrals, coarse: _Integrals, pieces: Pieces, edges: np.ndarray
) -> ActivationMoments:
    second_moment = float(fine.square.sum())
    derivative, derivative_error, has_jump = _derivative_moment(
        pieces, edges, sqrt(q), second_moment
    )
    rounding = 16.0 * pieces.noise
    error = max(
        float(np.abs(fine.mean - coarse.mean).sum()) + rounding * sqrt(second_moment),
        float(np.abs(fine.square - coarse.square).sum()) + rounding * second_moment,
        derivative_error,
    )
    return ActivationMoments(
        q=q,
        mean=float(fine.mean.sum()),
        second_moment=second_moment,
        derivative_second_moment=derivative,
        second_moment_slope=float(fine.curved.sum()) / (2.0 * q),
        error=error,
        has_jump=has_jump,
    )


def _derivative_moment(
    pieces: Pieces, edges: np.ndarray, sigma: float, second_moment: float
) -> tuple[float, float, bool]:
    """Give E[φ′²], the bound of its error, and whether a jump makes it infinite.

    Across a jump of height J a slope is J over the width of the piece, and its square
    times the width grows without end as the width shrinks. So what the short pieces
    hold tells: next to nothing at a kink, nearly everything at a jump, as at √|x|.
    """
    fine = _squared_slopes(pieces, edges, sigma, FINE)
    coarse = _squared_slopes(pieces, edges, sigma, COARSE)
    middle = (edges[:-1] + edges[1:]) / 2.0
    is_short = pieces.is_short[pieces.index(middle)]
    smooth, short = float(fine[~is_short].sum()), float(fine[is_short].sum())
    density = np.exp(-((pieces.edges[1:-1] / sigma) ** 2) / 2.0) / sigma
    jumped = float((pieces.jumps**2 * density).sum())
    if jumped > 1e-12 * smooth:
        return inf, inf, True
    if short > max(1e-4, 1e3 * pieces.noise**0.5) * smooth:
        return inf, inf, False
    nodes, weight = _nodes(edges, FINE)
    slope = np.abs(pieces.slope(nodes))
    off = pieces.slope_error[pieces.index(nodes)]
    mass = weight * np.exp(-((nodes / sigma) ** 2) / 2.0) / (sigma * sqrt(2.0 * np.pi))
    error = float((mass * (2.0 * slope + off) * off).sum())
    error += float(np.abs(fine - coarse)[~is_short].sum()) + short
    if error > max(smooth, 1e-6 * second_moment / sigma**2):
        return inf, inf, False  # as for a slope that grows like 1/√x
    return smooth + short, error, False


def _squared_slopes(
    pieces: Pieces,
    edges: np.ndarray,
    sigma: float,
    rule: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    x, weight = _nodes(edges, rule)
    root = np.exp(-((x / sigma) ** 2) / 4.0) / (2.0 * np.pi) ** 0.25
    squares = weight / sigma * (pieces.slope(x) * root) ** 2
    total: np.ndarray = squares.sum(axis=1)
    return total
