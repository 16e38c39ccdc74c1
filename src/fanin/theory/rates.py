"""How fast two inputs become one on the edge of chaos: a power law, not a scale.

With δ = 1 − c, C′(1) = 1 leaves the next term of the correlation map to decide.

Smooth φ: C″(1) = σ_w²·q·E[φ″²], so δ' = δ − ½C″(1)·δ² and δ_l → β/l with
β = 2/C″(1) = 2·E[φ′²]/(q·E[φ″²]).

A φ with kinks: between u₁ and u₂, a distance of mean 2√(qδ/π) apart, a kink of size s
at x lies with the density p(x) = e^(−x²/2q)/√(2πq) times that distance, and costs
½s² of E[φ′(u₁)φ′(u₂)]. So C′ = 1 − 3k/2·√δ with k = √2/(3π)·σ_w²·Σs²·e^(−x²/2q),
δ' = δ − k·δ^(3/2), and δ_l → 4/(k·l)². Of ReLU: 9π²/2/l². Hayou et al. (2019),
proposition 2 and appendix, for both rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, pi, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.activations import Activation
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from fanin.activations.pieces import Pieces
    from fanin.theory.mean_field import MeanField

REACH: Final = 12.0
BESIDE: Final = 1e-6
"""On either side of a kink, where slopes are read."""
LEAST_KINK: Final = 1e-4
LEGENDRE: Final = np.polynomial.legendre.leggauss(20)
ON_THE_EDGE: Final = 1e-4


@dataclass(frozen=True, kw_only=True)
class EdgeRate:
    """1 − c_l → coefficient/l^power with depth l, on the edge of chaos.

    power: 1 where φ is smooth, 2 where it has a kink. The coefficient is infinite
    where correlations are kept, as by the identity. Behind a kink that few
    pre-activations reach (hardswish's at ±3) the law of the smooth parts holds first.
    """

    power: int
    coefficient: float

    def gap(self, n_layers: float) -> float:
        """Give coefficient/n_layers^power: 1 − c far down, whatever c was."""
        return self.coefficient / n_layers**self.power


def edge_rate(field: MeanField, q: float) -> EdgeRate:
    """Give the power law of 1 − c at a fixed point q with χ₁ = 1.

    Raises:
        ArgumentError: if χ₁ is not 1 at q, or the field is of a gated unit.

    >>> from fanin.theory import MeanField
    >>> rate = edge_rate(MeanField(function="relu", weight_variance=2.0), 1.0)
    >>> rate.power, round(rate.coefficient, 6)
    (2, 44.41322)
    """
    activation = field.nonlinearity
    if not isinstance(activation, Activation):
        expected = "an activation: a gated unit has no rate here"
        raise ArgumentError.of(
            argument="field", received=activation.name, expected=expected
        )
    growth = field.growth(q)
    if not abs(growth - 1.0) <= ON_THE_EDGE:
        expected = "a fixed point with χ₁ = 1"
        raise ArgumentError.of(
            argument="q", received=f"χ₁ = {growth:.6g}", expected=expected
        )
    pieces = activation.pieces_within(REACH * sqrt(q))
    bent = sum(
        size**2 * exp(-(place**2) / (2.0 * q)) for place, size in kinks_of(pieces)
    )
    if bent > 0.0:
        k = sqrt(2.0) / (3.0 * pi) * field.weight_variance * bent
        return EdgeRate(power=2, coefficient=4.0 / k**2)
    curved = 0.5 * field.weight_variance * q * curvature_second_moment(pieces, q)
    is_straight = curved <= 1e-12
    return EdgeRate(power=1, coefficient=float("inf") if is_straight else 1.0 / curved)


def kinks_of(pieces: Pieces) -> tuple[tuple[float, float], ...]:
    """Give (place, jump of φ′ there) for each kink, ascending.

    >>> from fanin.activations import find_activation
    >>> hard = find_activation("hardtanh").pieces_within(5.0)
    >>> [(round(x, 6), round(s, 6)) for x, s in kinks_of(hard)]
    [(-1.0, 1.0), (1.0, -1.0)]
    """
    places = pieces.corners
    if not places.size:
        return ()
    beside = BESIDE * np.maximum(1.0, np.abs(places))
    first = np.append(True, np.diff(places) > 2.0 * beside[1:])  # one of a crowd
    places, beside = places[first], beside[first]
    jumps = pieces.slope(places + beside) - pieces.slope(places - beside)
    return tuple(
        (float(x), float(jump))
        for x, jump in zip(places, jumps, strict=True)
        if abs(jump) > LEAST_KINK
    )


def curvature_second_moment(pieces: Pieces, q: float) -> float:
    """Give E[φ″(√q·z)²] of a φ without kinks, by quadrature on its pieces.

    >>> from fanin.activations import find_activation
    >>> sine = find_activation("sin").pieces_within(12.0)
    >>> round(curvature_second_moment(sine, 1.0), 8)  # E[sin²]
    0.43233236
    """
    sigma = sqrt(q)
    steps = np.arange(-REACH, REACH + 0.5, 0.5) * sigma
    inside = pieces.edges[np.abs(pieces.edges) < REACH * sigma]
    edges = np.union1d(steps, inside)
    half = np.diff(edges)[:, None] / 2.0
    x = edges[:-1, None] + half * (LEGENDRE[0] + 1.0)
    density = np.exp(-((x / sigma) ** 2) / 2.0) / (sigma * sqrt(2.0 * pi))
    return float((half * LEGENDRE[1] * density * pieces.curvature(x) ** 2).sum())
