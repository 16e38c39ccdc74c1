"""Mean field theory of deep dense nets: two maps, their fixed points, depth scales.

Weights w ~ N(0, σ_w²/fan_in), biases b ~ N(0, σ_b²), width → ∞ (Poole et al. 2016;
Schoenholz et al. 2017). Layer by layer, the second moment of pre-activations follows
V(q) = σ_w²·E[φ(√q·z)²] + σ_b², and the correlation of two inputs follows
C(c) = (σ_w²·E[φ(u₁)φ(u₂)] + σ_b²)/q*.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log
from typing import TYPE_CHECKING

import numpy as np

from fanin.theory.gaussian import GaussianRule, gaussian_rule

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction

N_HERMITE = 400


@dataclass(frozen=True, kw_only=True)
class MeanField:
    """The maps of one activation at one (σ_w², σ_b²).

    function: φ, on float64 arrays. weight_variance: σ_w² = fan_in·Var[w], > 0;
    bias_variance: σ_b² ≥ 0; both dimensionless.

    >>> relu = MeanField(function=lambda x: np.maximum(x, 0.0), weight_variance=2.0)
    >>> round(relu.next_moment(3.0), 12), round(relu.growth(3.0), 12)
    (3.0, 1.0)
    """

    function: ScalarFunction
    weight_variance: float
    bias_variance: float = 0.0

    def rule(self, q: float) -> GaussianRule:
        """Give the quadrature of φ(√q·z)."""
        return gaussian_rule(self.function, variance=q)

    def next_moment(self, q: float) -> float:
        """Give V(q) = σ_w²·E[φ(√q·z)²] + σ_b²."""
        return self.weight_variance * self.rule(q).second_moment + self.bias_variance

    def slope(self, q: float) -> float:
        """Give V′(q) = σ_w²·E[φ(√q·z)²·(z² − 1)]/(2q), for q > 0.

        Integration by parts of the Gaussian: no derivative of φ is needed, so kinks
        do no harm. At a fixed point |V′| < 1 means that it attracts.
        """
        rule = self.rule(q)
        score = rule.expect(rule.values**2 * (rule.z**2 - 1))
        return self.weight_variance * score / (2 * q)

    def growth(self, q: float) -> float:
        """Give χ₁ = σ_w²·E[φ′(√q·z)²]: growth of the squared gradient a layer.

        It is C′(1) as well: below 1 two inputs become alike with depth (ordered),
        above 1 they part (chaotic), at 1 lies the edge of chaos.
        """
        return self.weight_variance * self.rule(q).slope_second_moment

    def moments_by_layer(self, q: float, n_layers: int) -> tuple[float, ...]:
        """Give V(q), V(V(q)), …: n_layers numbers.

        >>> tanh = MeanField(function=np.tanh, weight_variance=1.0)
        >>> [round(q, 8) for q in tanh.moments_by_layer(1.0, 3)]
        [0.39429449, 0.23645041, 0.16665635]
        """
        found = []
        for _ in range(n_layers):
            q = self.next_moment(q)
            found.append(q)
        return tuple(found)


def depth_scale(slope: float) -> float:
    """Give ξ = −1/ln(slope): layers in which a difference falls by e.

    Infinite at slope 1; negative where it grows by e instead.

    >>> round(depth_scale(0.5), 8)
    1.44269504
    """
    if slope <= 0.0:
        return 0.0
    rate = log(slope)
    return inf if rate == 0.0 else -1.0 / rate


@dataclass(frozen=True, kw_only=True)
class CorrelationMap:
    """C(c) at a fixed point q*, as a power series in c.

    φ(√q·z) = Σ aₖ·hₖ(z) in orthonormal Hermite polynomials gives, by Mehler's formula,
    E[φ(u₁)φ(u₂)] = Σ aₖ²·cᵏ for correlation c. coefficients: aₖ² for k from 0, and
    ``rest``, the part of E[φ²] beyond them, which counts in full only at c = 1.
    """

    coefficients: np.ndarray
    rest: float
    weight_variance: float
    bias_variance: float
    q: float

    def __call__(self, c: float) -> float:
        """Give C(c) for 0 ≤ c ≤ 1.

        >>> relu = MeanField(function=lambda x: np.maximum(x, 0.0), weight_variance=2.0)
        >>> round(correlation_map(relu, 1.0)(0.5), 8)
        0.60899778
        """
        n_terms = len(self.coefficients)
        powers = c ** np.arange(n_terms)
        expected = self.coefficients @ powers + self.rest * c**n_terms
        total = self.weight_variance * expected + self.bias_variance
        return float(total / self.q)

    def slope(self, c: float) -> float:
        """Give C′(c) = σ_w²·E[φ′(u₁)φ′(u₂)], for c < 1."""
        orders = np.arange(1, len(self.coefficients))
        terms = orders * self.coefficients[1:] * c ** (orders - 1)
        return float(self.weight_variance * terms.sum() / self.q)

    def fixed_point(self) -> float:
        """Give c* in [0, 1) where C(c) = c, by bisection; C is convex."""
        low, high = 0.0, 1.0 - 1e-9
        if self(low) <= low:
            return 0.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if self(middle) > middle else (low, middle)
        return (low + high) / 2


def correlation_map(field: MeanField, q: float) -> CorrelationMap:
    """Expand φ in Hermite polynomials and give the correlation map at q."""
    rule = field.rule(q)
    squares = np.empty(N_HERMITE)
    before, current = np.zeros_like(rule.z), np.ones_like(rule.z)
    for k in range(N_HERMITE):
        squares[k] = rule.expect(rule.values * current) ** 2
        following = (rule.z * current - np.sqrt(k) * before) / np.sqrt(k + 1)
        before, current = current, following
    squares[squares < 1e-30 * squares.sum()] = 0.0
    return CorrelationMap(
        coefficients=squares,
        rest=max(rule.second_moment - float(squares.sum()), 0.0),
        weight_variance=field.weight_variance,
        bias_variance=field.bias_variance,
        q=q,
    )
