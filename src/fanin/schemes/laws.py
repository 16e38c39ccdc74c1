"""The laws: the density that each one draws from, given the wanted std.

Every law here has mean 0. Densities are exact: for the entries of an orthogonal matrix
it is the marginal of a uniform point on a sphere. That matrix is of gain 1; all laws
scale alike, so that the density for another gain is density(w/gain, std/gain) / gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, inf, lgamma, log, pi, sqrt
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CUT: Final = 2.0
"""Where the truncated normal is cut, in standard deviations of the uncut normal."""


def truncated_std(cut: float = CUT) -> float:
    """Give the std of N(0, 1) cut at ±cut: √(1 − 2·cut·ϕ(cut) / (2Φ(cut) − 1)).

    From ∫ x²ϕ(x) dx = [−xϕ(x)] + ∫ ϕ(x) dx over (−cut, cut), ϕ the normal density and
    Φ its integral. A truncated normal of a wanted std is cut from one of
    std / truncated_std(cut).

    Args:
        cut: in standard deviations of the uncut normal, > 0.

    Raises:
        ArgumentError: if the cut is not above 0.

    >>> f"{truncated_std():.12f}"
    '0.879625661034'
    """
    if not cut > 0.0:
        raise ArgumentError.of(argument="cut", received=cut, expected="above 0")
    density = exp(-(cut**2) / 2) / sqrt(2 * pi)
    mass = erf(cut / sqrt(2))
    return sqrt(1 - 2 * cut * density / mass)


@dataclass(frozen=True, kw_only=True)
class Law:
    """The shape of a distribution of mean 0.

    density: (w, std) → probability per unit of w. reach: std → the largest |w| that
    can be drawn (inf for a normal).
    """

    density: Callable[[float, float], float]
    reach: Callable[[float], float]


def normal_density(weight: float, std: float) -> float:
    """exp(−w²/2σ²) / (σ√(2π)).

    >>> normal_density(0.0, 1.0) == 1 / sqrt(2 * pi)
    True
    """
    return exp(-((weight / std) ** 2) / 2) / (std * sqrt(2 * pi))


def uniform_density(weight: float, std: float) -> float:
    """1 / (2b) for |w| ≤ b = √3·σ, else 0.

    >>> uniform_density(0.0, 3**0.5), uniform_density(3.1, 3**0.5)
    (0.16666666666666..., 0.0)
    """
    bound = sqrt(3) * std
    return 1 / (2 * bound) if abs(weight) <= bound else 0.0


def truncated_density(weight: float, std: float) -> float:
    """The density of N(0, s²) over |w| ≤ 2s, divided by its mass there; s ≈ std/0.88.

    >>> truncated_density(2.3, 1.0)
    0.0
    """
    uncut = std / truncated_std()
    if abs(weight) > CUT * uncut:
        return 0.0
    return normal_density(weight, uncut) / erf(CUT / sqrt(2))


def orthogonal_density(weight: float, std: float) -> float:
    """Γ(n/2) / (√π·Γ((n−1)/2)) · (1 − w²)^((n−3)/2), n = 1/std²: one entry of Q.

    An entry of a uniform orthogonal n × n matrix is a coordinate of a uniform point on
    the sphere, of variance 1/n: in space (n = 3) it is uniform, as Archimedes found.
    Mezzadri (2007) has the uniform law itself.

    >>> orthogonal_density(0.3, 3**-0.5) - orthogonal_density(0.9, 3**-0.5)
    0.0
    """
    n_entries = round(1 / std**2)
    if n_entries == 1 or abs(weight) >= 1.0:
        return inf if abs(weight) == 1.0 else 0.0
    front = lgamma(n_entries / 2) - lgamma((n_entries - 1) / 2) - log(pi) / 2
    return exp(front + (n_entries - 3) / 2 * log(1 - weight**2))


def point_density(weight: float, std: float) -> float:
    """Infinite at 0 and zero elsewhere, whatever the std.

    >>> point_density(0.0, 0.0), point_density(0.1, 0.0)
    (inf, 0.0)
    """
    return inf if weight == 0.0 * std else 0.0


LAWS: Final[Mapping[str, Law]] = MappingProxyType(
    {
        "normal": Law(density=normal_density, reach=lambda std: inf + 0 * std),
        "uniform": Law(density=uniform_density, reach=lambda std: sqrt(3) * std),
        "truncated_normal": Law(
            density=truncated_density, reach=lambda std: CUT * std / truncated_std()
        ),
        "orthogonal": Law(density=orthogonal_density, reach=lambda _: 1.0),
        # Of the middle of a kernel, which is all of a dense weight.
        "delta_orthogonal": Law(density=orthogonal_density, reach=lambda _: 1.0),
        "constant": Law(density=point_density, reach=lambda _: 0.0),
        "identity": Law(density=point_density, reach=lambda _: 1.0),
    }
)
