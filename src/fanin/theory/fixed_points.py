"""Fixed points of the map of second moments, and whether they attract.

χ₁ = 1 alone does not make a net critical: on the edge of chaos of GELU and SiLU with
small biases V′(q*) > 1, the fixed point repels, and no depth ever reaches it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.theory.correlations import correlation_map
from fanin.theory.mean_field import depth_scale
from fanin.theory.scan import HIGHEST, LOWEST, Scan, crossings, scan

if TYPE_CHECKING:
    from fanin.theory.mean_field import MeanField

CRITICAL: Final = 1e-6
"""A slope this close to 1 is taken as 1."""
MOST_LAYERS: Final = 400
"""A map that is not monotone is followed this far."""


class Stability(StrEnum):
    """What a fixed point of V does to second moments near it."""

    STABLE = "stable: it attracts"
    UNSTABLE = "unstable: it repels"
    MARGINAL = "marginal: neither, or by a power law"
    EVERYWHERE = "every second moment is kept"

    @classmethod
    def of(cls, slope: float) -> Stability:
        """Give what V′ says of its fixed point.

        >>> Stability.of(1.1).name
        'UNSTABLE'
        """
        if abs(abs(slope) - 1.0) <= CRITICAL:
            return cls.MARGINAL
        return cls.STABLE if abs(slope) < 1.0 else cls.UNSTABLE


@dataclass(frozen=True, kw_only=True)
class FixedPoint:
    """A second moment that a layer hands on as it came, q* = V(q*).

    slope: V′(q*). growth: χ₁ there. correlation: c*, to which the correlation of two
    inputs tends. Depth scales in layers: moment_scale ξ_q, correlation_scale ξ_c,
    gradient_scale ξ_∇ (negative: gradients grow). At q* = 0 correlations change by a
    power law or not at all: ξ_c is infinite there, c* is 1.
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

    @property
    def attracts(self) -> bool:
        """Say whether second moments near it do not leave it."""
        return self.stability is not Stability.UNSTABLE


def fixed_points(field: MeanField) -> tuple[FixedPoint, ...]:
    """Find the fixed points of V in [1e-8, 1e6], and 0 where it is one, ascending.

    Where V(q) = q for every q (ReLU at σ_w² = 2), q = 1 stands for all of them.

    >>> from fanin.theory import MeanField
    >>> tanh = MeanField(function="tanh", weight_variance=1.69, bias_variance=0.09)
    >>> (point,) = fixed_points(tanh)
    >>> round(point.q, 8), round(point.growth, 8), point.phase
    (0.60704679, 0.93980743, 'ordered')
    """
    scanned = scan(field)
    if scanned.is_flat.all():
        return (_point(field, 1.0, Stability.EVERYWHERE),)
    found = [_zero(field)] if _keeps_zero(field) else []
    found += [
        _point(field, q, Stability.of(field.slope(q)))
        for q in crossings(field, scanned)
    ]
    return tuple(found)


def settles_at(field: MeanField, q: float = 1.0) -> float:
    """Give where V leads from q: a fixed point, 0 or infinity.

    Where V rises from q to the next fixed point, second moments cannot step over it;
    that fixed point, or infinity, is the answer. Where V falls somewhere, it is
    iterated; NaN if it goes round for ever.

    >>> from fanin.theory import MeanField
    >>> settles_at(MeanField(function="relu", weight_variance=1.0))
    0.0
    """
    scanned = scan(field)
    following = field.next_moment(q)
    if abs(following - q) <= 1e-12 * q:
        return q
    points = [0.0, *crossings(field, scanned), inf]
    target = (
        min(point for point in points if point > q)
        if following > q
        else max(point for point in points if point < q)
    )
    if _rises(scanned, *sorted((q, target))):
        return target
    return _followed(field, q)


def _rises(scanned: Scan, low: float, high: float) -> bool:
    within = (scanned.q >= low / 2) & (scanned.q <= 2 * high)
    known = np.isfinite(scanned.slopes)
    return bool((scanned.slopes[within & known] >= -1e-9).all())


def _followed(field: MeanField, q: float) -> float:
    for _ in range(MOST_LAYERS):
        following = field.next_moment(q)
        if abs(following - q) <= 1e-9 * q:
            return following
        if not LOWEST < following < HIGHEST:
            return 0.0 if following <= LOWEST else inf
        q = following
    return float("nan")


def _keeps_zero(field: MeanField) -> bool:
    return field.next_moment(0.0) == 0.0


def _zero(field: MeanField) -> FixedPoint:
    """Describe q* = 0: V there is linear, with slope σ_w²·E[(φ′(0±)·z)²]."""
    slope, growth = _near_one(field.slope(0.0)), _near_one(field.growth(0.0))
    return FixedPoint(
        q=0.0,
        slope=slope,
        growth=growth,
        correlation=1.0,
        stability=Stability.of(slope),
        moment_scale=depth_scale(slope),
        correlation_scale=inf,
        gradient_scale=depth_scale(growth),
    )


def _near_one(slope: float) -> float:
    return 1.0 if abs(slope - 1.0) <= CRITICAL else slope


def _point(field: MeanField, q: float, stability: Stability) -> FixedPoint:
    growth = _near_one(field.growth(q))
    slope = 1.0 if stability is Stability.EVERYWHERE else field.slope(q)
    correlation, along = 1.0, growth
    if growth > 1.0:
        correlations = correlation_map(field, q)
        correlation = correlations.fixed_point()
        along = correlations.slope(correlation) if correlation < 1.0 else growth
    return FixedPoint(
        q=q,
        slope=slope,
        growth=growth,
        correlation=correlation,
        stability=stability,
        moment_scale=depth_scale(slope),
        correlation_scale=depth_scale(along) if isfinite(along) else -0.0,
        gradient_scale=depth_scale(growth),
    )
