"""The correlation map C(c): what a layer does to the likeness of two inputs.

C(c) = (σ_w²·E[φ(u₁)φ(u₂)] + σ_b²)/q*, u₁ and u₂ of variance q* and correlation c.
Poole et al. (2016), equation 5. C(1) = 1 at a fixed point q*; C is a power series with
no negative coefficient (Daniely et al. 2016), so it is convex on [0, 1], and below 1
there is at most one more fixed point c*.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError
from fanin.theory.scan import root

if TYPE_CHECKING:
    from fanin.theory.mean_field import MeanField

ROUNDING: Final = 1e-16
TINY: Final = 1e-13
"""A correlation no larger is 0, and a distance from 1 no larger is none."""


@dataclass(frozen=True, kw_only=True)
class CorrelationMap:
    """C(c) of one mean field at one second moment q, for c from −1 to 1.

    |error| < 1e-11, by quadrature that is exact at kinks and jumps.
    """

    field: MeanField
    q: float

    def __call__(self, c: float) -> float:
        """Give C(c), for −1 ≤ c ≤ 1.

        >>> from fanin.theory import MeanField
        >>> relu = correlation_map(MeanField(function="relu", weight_variance=2.0), 1.0)
        >>> round(relu(0.5), 8), round(relu(-0.5), 8)
        (0.60899778, 0.10899778)
        """
        expected = self.field.nonlinearity.correlation(c, self.q)
        total = self.field.weight_variance * expected + self.field.bias_variance
        return total / self.q

    def slope(self, c: float) -> float:
        """Give C′(c) = σ_w²·E[φ′(u₁)φ′(u₂)]; C′(1) = χ₁."""
        along = self.field.nonlinearity.correlation_slope(c, self.q)
        return self.field.weight_variance * along / self.q

    def gap(self, gap: float) -> float:
        """Give 1 − C(1 − gap) at a fixed point, to relative accuracy at any gap.

        Args:
            gap: 1 − c, from 0 to 2.

        >>> from fanin.theory import MeanField
        >>> tanh = MeanField(function="tanh", weight_variance=1.0)
        >>> print(f"{correlation_map(tanh, 1e-4).gap(1e-6):.3e}")
        9.998e-07
        """
        lost = self.field.nonlinearity.decorrelation(gap, self.q)
        return self.field.weight_variance * lost / self.q

    def by_layer(self, c: float, n_layers: int) -> tuple[float, ...]:
        """Give C(c), C(C(c)), …: n_layers numbers, iterated on 1 − c.

        >>> from fanin.theory import MeanField
        >>> relu = correlation_map(MeanField(function="relu", weight_variance=2.0), 1.0)
        >>> [round(c, 8) for c in relu.by_layer(0.0, 3)]
        [0.31830989, 0.49373109, 0.60482572]
        """
        gap, found = 1.0 - c, []
        for _ in range(n_layers):
            following = min(max(self.gap(gap), 0.0), 2.0)
            found.append(1.0 - following)
            if following < ROUNDING or abs(following - gap) <= TINY * following:
                break  # every further layer has the same correlation
            gap = following
        return (*found, *([found[-1]] * (n_layers - len(found))))

    def fixed_point(self) -> float:
        """Give c*, to which all correlations in [0, 1) tend; 1 where C′(1) ≤ 1.

        Below c* C lies above the diagonal and above c* below it, as C is convex: 1 − c
        has one root, and it is looked for on a logarithmic scale.
        """
        if self(0.0) <= TINY:
            return 0.0
        if self.gap(TINY) <= TINY:
            return 1.0
        return 1.0 - root(lambda gap: self.gap(gap) / gap - 1.0, TINY, 1.0)


def correlation_map(field: MeanField, q: float) -> CorrelationMap:
    """Give C(c) at pre-activations of second moment q, as a rule a fixed point of V.

    Raises:
        ArgumentError: if q is not finite and above 0.
    """
    if not 0.0 < q < inf:
        expected = "a second moment: finite and above 0"
        raise ArgumentError.of(argument="q", received=q, expected=expected)
    return CorrelationMap(field=field, q=q)
