"""The edge of chaos: the (σ_w, σ_b) at which χ₁ = 1, for any activation.

The line is parametrised by the fixed point q itself, and no root has to be found:
χ₁ = 1 gives σ_w² = 1/E[φ′(√q·z)²], and V(q) = q gives σ_b² = q − σ_w²·E[φ(√q·z)²].
A point exists where σ_b² ≥ 0. Schoenholz et al. (2017), section 3; Hayou et al. (2019),
"On the impact of the activation function on deep neural networks training", section 2.

Some have none. **Softplus**: φ′ is the sigmoid s, E[s²] < ½ as s(x)² + s(−x)² < 1, so
σ_w² > 2; and φ(x) > max(0, x), so E[φ²] > q/2. Together σ_b² = q − σ_w²·E[φ²] < 0 for
every q. **Sigmoid** has one only beyond σ_w² ≈ 103, far from any real net.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.activations import find_nonlinearity
from fanin.errors import ArgumentError
from fanin.theory.fixed_points import CRITICAL, Stability
from fanin.theory.mean_field import MeanField
from fanin.theory.scan import SAME, root

if TYPE_CHECKING:
    from fanin.activations import Activation, Gate, Nonlinearity
    from fanin.graph.graph import ScalarFunction

    Function = str | ScalarFunction | Activation | Gate

GRID: Final = np.geomspace(1e-6, 1e5, 111)
"""Second moments at which the line is looked for."""


@dataclass(frozen=True, kw_only=True)
class EdgePoint:
    """A point on the edge of chaos: χ₁ = 1 at the fixed point q.

    weight_variance: σ_w². bias_variance: σ_b². q: the fixed point; 0 for a limit.
    slope: V′(q). stability: what q does to second moments near it. Where it repels,
    χ₁ = 1 is true of q and of no layer of a deep net.
    """

    weight_variance: float
    bias_variance: float
    q: float
    slope: float
    stability: Stability

    @property
    def sigma_w(self) -> float:
        """Give σ_w."""
        return sqrt(self.weight_variance)

    @property
    def sigma_b(self) -> float:
        """Give σ_b."""
        return sqrt(self.bias_variance)

    @property
    def attracts(self) -> bool:
        """Say whether second moments near q do not leave it."""
        return self.stability is not Stability.UNSTABLE

    def field(self, activation: Function) -> MeanField:
        """Give the maps of the activation at this point."""
        return MeanField(
            function=activation,
            weight_variance=self.weight_variance,
            bias_variance=self.bias_variance,
        )


def edge_at(activation: Function, q: float) -> EdgePoint:
    """Give the point of the edge of chaos whose fixed point is q.

    Args:
        activation: a name or a function, as in `MeanField`.
        q: second moment of pre-activations, > 0.

    Raises:
        ArgumentError: if there is no such point: σ_b² would be negative, or φ has no
            finite slope; or if q is out of range.

    >>> edge = edge_at("tanh", 0.57004788)
    >>> round(edge.weight_variance, 6), round(edge.bias_variance, 6)
    (1.760955, 0.05)
    """
    if not 0.0 < q < inf:
        expected = "a second moment: finite and above 0"
        raise ArgumentError.of(argument="q", received=q, expected=expected)
    nonlinearity = find_nonlinearity(activation)
    point = _point(nonlinearity, q)
    if point is None:
        expected = f"a q at which {nonlinearity.name} has an edge of chaos"
        raise ArgumentError.of(argument="q", received=q, expected=expected)
    return point


def edge_line(
    activation: Function, q: tuple[float, ...] | None = None
) -> tuple[EdgePoint, ...]:
    """Give the edge of chaos as a line, ascending in q; empty if there is none.

    Args:
        activation: a name or a function, as in `MeanField`.
        q: where; 111 points from 1e-6 to 1e5 if None.

    >>> edge_line("softplus")
    ()
    """
    nonlinearity = find_nonlinearity(activation)
    places = GRID if q is None else q
    points = [_point(nonlinearity, float(each)) for each in places]
    return tuple(point for point in points if point is not None)


def edge_of_chaos(activation: Function, sigma_b: float = 0.0) -> tuple[EdgePoint, ...]:
    """Give every point of the edge of chaos at this σ_b, ascending in q.

    At σ_b = 0 the limit q → 0 counts, where φ(0) = 0 and φ has a slope there. Where
    σ_b² = 0 for every q, as with ReLU, q = 1 stands for all.

    Args:
        activation: a name or a function, as in `MeanField`.
        sigma_b: standard deviation of a bias, ≥ 0.

    Raises:
        ArgumentError: if σ_b is negative or not finite.

    >>> [round(point.weight_variance, 8) for point in edge_of_chaos("tanh", 0.2)]
    [1.70079637]
    >>> (point,) = edge_of_chaos("gelu", 0.2)
    >>> round(point.weight_variance, 8), point.attracts
    (2.3932383, False)
    """
    if not 0.0 <= sigma_b < inf:
        expected = "finite, 0 or more"
        raise ArgumentError.of(argument="sigma_b", received=sigma_b, expected=expected)
    nonlinearity = find_nonlinearity(activation)

    def excess(q: float) -> float:
        return _bias_variance(nonlinearity, q) - sigma_b**2

    known = [(float(q), excess(float(q))) for q in GRID]
    clear = [(q, e) for q, e in known if abs(e) > SAME * q]
    if sigma_b == 0.0 and not clear:
        point = _point(nonlinearity, 1.0)
        return () if point is None else (point,)
    found = [_at_zero(nonlinearity)] if sigma_b == 0.0 else []
    for (low, below), (high, above) in pairwise(clear):
        if below * above < 0.0:
            found.append(_point(nonlinearity, root(excess, low, high)))
    return tuple(point for point in found if point is not None)


def _bias_variance(nonlinearity: Nonlinearity, q: float) -> float:
    """Give q − E[φ²]/E[φ′²]; −∞ where φ is flat or has no finite slope."""
    moments = nonlinearity.moments(q)
    slope = moments.derivative_second_moment
    if not 0.0 < slope < inf:
        return -inf
    return q - moments.second_moment / slope


def _point(nonlinearity: Nonlinearity, q: float) -> EdgePoint | None:
    bias_variance = _bias_variance(nonlinearity, q)
    if not bias_variance >= -SAME * q:
        return None
    moments = nonlinearity.moments(q)
    weight_variance = 1.0 / moments.derivative_second_moment
    is_homogeneous = abs(bias_variance) <= SAME * q
    slope = weight_variance * moments.second_moment_slope
    keeps_all = is_homogeneous and abs(slope - 1.0) <= CRITICAL
    return EdgePoint(
        weight_variance=weight_variance,
        bias_variance=0.0 if is_homogeneous else bias_variance,
        q=q,
        slope=slope,
        stability=Stability.EVERYWHERE if keeps_all else Stability.of(slope),
    )


def _at_zero(nonlinearity: Nonlinearity) -> EdgePoint | None:
    """Give the limit q → 0 at σ_b = 0: σ_w·φ′(0) = 1, V′(0) = 1.

    Whether 0 attracts is read a little above it, where V(q)/q is no longer 1.
    """
    moments = nonlinearity.moments(0.0)
    slope = moments.derivative_second_moment
    if moments.second_moment != 0.0 or not 0.0 < slope < inf:
        return None
    beside = 1e-4
    ratio = nonlinearity.moments(beside).second_moment / (slope * beside)
    is_repelled = ratio > 1.0 + 1e-9
    return EdgePoint(
        weight_variance=1.0 / slope,
        bias_variance=0.0,
        q=0.0,
        slope=1.0,
        stability=Stability.UNSTABLE if is_repelled else Stability.MARGINAL,
    )
