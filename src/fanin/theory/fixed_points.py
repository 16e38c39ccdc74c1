"""Fixed points of the second moment, their stability, and the edge of chaos."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import ArgumentError
from fanin.theory.gaussian import gaussian_rule
from fanin.theory.mean_field import MeanField, correlation_map, depth_scale

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction

SAME = 1e-9  # two second moments this close, relatively, are one
CRITICAL = 1e-6  # a slope this close to 1 is taken as 1
LOWEST, HIGHEST, N_SCANNED = 1e-8, 1e8, 129


class Stability(StrEnum):
    """What a fixed point of V does to second moments near it."""

    STABLE = "stable: it attracts"
    UNSTABLE = "unstable: it repels"
    MARGINAL = "marginal: neither, or by a power law"
    EVERYWHERE = "every second moment is kept"


@dataclass(frozen=True, kw_only=True)
class FixedPoint:
    """A second moment that a layer hands on as it came, q* = V(q*).

    slope: V′(q*). growth: χ₁ there. correlation: c*, to which the correlation of two
    inputs tends. Depth scales in layers: moment_scale ξ_q, correlation_scale ξ_c,
    gradient_scale ξ_∇ (negative: gradients grow).
    """

    q: float
    slope: float
    growth: float
    correlation: float
    stability: Stability

    moment_scale: float
    correlation_scale: float
    gradient_scale: float

    @property
    def phase(self) -> str:
        """Say "ordered", "chaotic" or "edge of chaos", by χ₁."""
        if abs(self.growth - 1.0) <= CRITICAL:
            return "edge of chaos"
        return "ordered" if self.growth < 1.0 else "chaotic"


def fixed_points(field: MeanField) -> tuple[FixedPoint, ...]:
    """Find the fixed points of V in [1e-8, 1e8], and 0 where it is one, ascending.

    Where V(q) = q for every q (ReLU at σ_w² = 2), q = 1 stands for all of them.

    >>> tanh = MeanField(function=np.tanh, weight_variance=1.69, bias_variance=0.09)
    >>> (point,) = fixed_points(tanh)
    >>> round(point.q, 8), round(point.growth, 8), point.phase
    (0.60704679, 0.93980743, 'ordered')
    """
    grid = np.geomspace(LOWEST, HIGHEST, N_SCANNED)
    ratios = np.array([field.next_moment(q) / q - 1.0 for q in grid])
    if np.all(np.abs(ratios) <= SAME):
        return (_point(field, 1.0, Stability.EVERYWHERE),)
    found = [_zero(field)] if _keeps_zero(field) else []
    is_flat = np.abs(ratios) <= SAME  # no sign there, but rounding
    clear = list(zip(grid[~is_flat], ratios[~is_flat], strict=True))
    for (low, below), (high, above) in pairwise(clear):
        if below * above < 0:
            q = _bisect(field, low, high)
            found.append(_point(field, q, _stability(field.slope(q))))
    return tuple(found)


def settles_at(field: MeanField, q: float = 1.0, n_layers: int = 10_000) -> float:
    """Give where V leads from q: a fixed point, 0 or infinity.

    >>> relu = MeanField(function=lambda x: np.maximum(x, 0.0), weight_variance=1.0)
    >>> settles_at(relu)
    0.0
    """
    for _ in range(n_layers):
        following = field.next_moment(q)
        if abs(following - q) <= 1e-14 * q:
            break
        q = following
        if q < LOWEST:
            return 0.0
        if q > HIGHEST:
            return inf
    return q


def edge_of_chaos(function: ScalarFunction, q: float) -> MeanField:
    """Give the (σ_w², σ_b²) whose fixed point is q with χ₁ = 1.

    σ_w² = 1/E[φ′(√q·z)²], σ_b² = q − σ_w²·E[φ(√q·z)²].

    Raises:
        ArgumentError: if σ_b² would be negative: no such point exists.

    >>> edge = edge_of_chaos(np.tanh, 0.57004788)
    >>> round(edge.weight_variance, 6), round(edge.bias_variance, 6)
    (1.760955, 0.05)
    """
    rule = gaussian_rule(function, variance=q)
    weight_variance = 1.0 / rule.slope_second_moment
    bias_variance = q - weight_variance * rule.second_moment
    if bias_variance < -SAME * q:
        expected = "a second moment at which this activation has an edge of chaos"
        raise ArgumentError.of(argument="q", received=q, expected=expected)
    return MeanField(
        function=function,
        weight_variance=weight_variance,
        bias_variance=max(bias_variance, 0.0),
    )


def _keeps_zero(field: MeanField) -> bool:
    at_zero = np.asarray(field.function(np.zeros(1)), dtype=np.float64)
    return field.bias_variance == 0.0 and float(at_zero[0]) == 0.0


def _zero(field: MeanField) -> FixedPoint:
    """Describe q* = 0: V there is linear, with slope σ_w²·E[(φ′(0±)·z)²]."""
    slope = field.next_moment(LOWEST**2) / LOWEST**2
    near = 1.0 if abs(slope - 1.0) <= CRITICAL else slope
    return FixedPoint(
        q=0.0,
        slope=near,
        growth=near,
        correlation=1.0,
        stability=_stability(near),
        moment_scale=depth_scale(near),
        correlation_scale=depth_scale(near),
        gradient_scale=depth_scale(near),
    )


def _stability(slope: float) -> Stability:
    if abs(abs(slope) - 1.0) <= CRITICAL:
        return Stability.MARGINAL
    return Stability.STABLE if abs(slope) < 1.0 else Stability.UNSTABLE


def _point(field: MeanField, q: float, stability: Stability) -> FixedPoint:
    growth = field.growth(q)
    growth = 1.0 if abs(growth - 1.0) <= CRITICAL else growth
    slope = 1.0 if stability is Stability.EVERYWHERE else field.slope(q)
    correlation, along = 1.0, growth
    if growth > 1.0:
        correlations = correlation_map(field, q)
        correlation = correlations.fixed_point()
        along = correlations.slope(correlation)
    return FixedPoint(
        q=q,
        slope=slope,
        growth=growth,
        correlation=correlation,
        stability=stability,
        moment_scale=depth_scale(abs(slope)),
        correlation_scale=depth_scale(along),
        gradient_scale=depth_scale(growth),
    )


def _bisect(field: MeanField, low: float, high: float) -> float:
    """Give the root of V(q) − q between two ends of different sign."""
    rises = field.next_moment(low) > low
    for _ in range(100):
        middle = sqrt(low * high)
        if (field.next_moment(middle) > middle) == rises:
            low = middle
        else:
            high = middle
    return sqrt(low * high)
