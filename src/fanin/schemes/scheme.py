"""A scheme: a law, the formula of its variance, and where both come from."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeVar

from fanin.graph.fans import AxisRoles, Fan, fans
from fanin.schemes.laws import LAWS

if TYPE_CHECKING:
    from collections.abc import Callable

    import sympy

    from fanin.schemes.options import Option

Scalar = TypeVar("Scalar", float, "sympy.Expr")
"""What a formula runs on: a float, or a SymPy expression."""

LawKind = Literal[
    "constant",
    "normal",
    "uniform",
    "truncated_normal",
    "orthogonal",
    "delta_orthogonal",
    "identity",
]

HALF: Final = Fraction(1, 2)
"""The exponent of a square root, exact for symbols and a float for floats."""


class VarianceFormula(Protocol):
    """The variance of one weight, from its fans and the gain."""

    def __call__(self, fan: Fan[Scalar], gain: Scalar) -> Scalar:
        """Give the variance: the square of the weight's unit."""
        ...


@dataclass(frozen=True, kw_only=True)
class Source:
    """The publication that a formula comes from.

    equation: its number or section there, "" where it has none.
    """

    authors: str
    year: int
    title: str
    url: str
    equation: str = ""

    @property
    def citation(self) -> str:
        """Give the source as a text cites it.

        >>> from fanin.schemes.sources import GLOROT_2010, HE_2015
        >>> GLOROT_2010.citation, HE_2015.citation
        ('Glorot & Bengio 2010', 'He et al. 2015')
        """
        names = self.authors.replace(" & ", ", ").split(", ")
        who = self.authors if len(names) < 3 else f"{names[0]} et al."
        return f"{who} {self.year}"

    def __str__(self) -> str:
        place = f", {self.equation}" if self.equation else ""
        return f"{self.authors} ({self.year}), {self.title}{place}. {self.url}"


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """A way to draw a weight.

    name, aliases: as found by `find_scheme`. law: the shape of the distribution.
    variance: (fan, gain) → variance of one entry, on floats and SymPy symbols alike;
    for the fixed matrices (identity, orthogonal) the mean square of the entries.
    formula: the same in print. keeps: what stays constant from layer to layer.
    assumes: under which conditions. gain: the gain that the source uses, or that the
    spec sets; uses_gain: whether another gain (the activation's) may take its place.
    value: the mean of all entries. sides: which fans the formula speaks of.
    options, settings: what may be set in a spec, and what was.

    >>> from fanin.schemes import find_scheme
    >>> find_scheme("glorot_uniform").bound(Fan(n_in=300.0, n_out=300.0))
    0.1
    """

    name: str
    law: LawKind
    variance: VarianceFormula
    formula: str
    keeps: str
    assumes: tuple[str, ...]
    sources: tuple[Source, ...]
    aliases: tuple[str, ...] = ()
    gain: float = 1.0
    uses_gain: bool = False
    value: float = 0.0
    sides: Callable[[tuple[int, ...], AxisRoles], Fan[float]] = fans
    options: tuple[Option, ...] = ()
    settings: tuple[tuple[str, float | str], ...] = ()

    @property
    def spec(self) -> str:
        """Give the text by which `find_scheme` finds this very scheme.

        >>> from fanin.schemes import find_scheme
        >>> find_scheme("Kaiming_normal( mode = fan_out )").spec
        'he_normal(mode=fan_out)'
        """
        if not self.settings:
            return self.name
        settings = ", ".join(f"{name}={value}" for name, value in self.settings)
        return f"{self.name}({settings})"

    def fan_of(self, shape: tuple[int, ...], roles: AxisRoles) -> Fan[float]:
        """Give the fans that the formula speaks of: those of the layer, or the sides.

        An orthogonal or identity matrix is as large as the weight makes it, whatever
        the stride; all other formulas speak of the layer's fans.
        """
        return self.sides(shape, roles)

    def gain_for(self, wanted: float) -> float:
        """Give the wanted gain where the scheme takes one, else its own.

        >>> from fanin.schemes import find_scheme
        >>> find_scheme("he_normal").gain_for(1.6)
        1.6
        >>> find_scheme("he_normal(gain=1.4)").gain_for(1.6)
        1.4
        """
        return wanted if self.uses_gain else self.gain

    def std(self, fan: Fan[Scalar], gain: Scalar | None = None) -> Scalar:
        """Give √variance: the same unit as the weight.

        Args:
            fan: the fans, > 0.
            gain: dimensionless, > 0; None for the gain of the source.

        >>> from fanin.schemes import find_scheme
        >>> find_scheme("normal(std=0.25)").std(Fan(n_in=8.0, n_out=2.0))
        0.25
        """
        chosen = self.gain if gain is None else gain
        std: Scalar = root(self.variance(fan, chosen))
        return std

    def bound(self, fan: Fan[Scalar], gain: Scalar | None = None) -> Scalar:
        """Give √(3·variance): U(−bound, bound) has that variance.

        ∫ w²/(2b) dw over (−b, b) is b²/3. Args as `std`.
        """
        chosen = self.gain if gain is None else gain
        bound: Scalar = root(3 * self.variance(fan, chosen))
        return bound

    def density(
        self, weight: float, fan: Fan[float], gain: float | None = None
    ) -> float:
        """Give the probability density of one entry at ``weight``, per unit of weight.

        A constant and an identity are points: infinite there, 0 elsewhere.

        >>> from fanin.schemes import find_scheme
        >>> find_scheme("uniform(bound=0.5)").density(0.6, Fan(n_in=8.0, n_out=8.0))
        0.0
        """
        chosen = self.gain if gain is None else gain
        std = self.std(fan, chosen)
        away = weight - self.value
        return LAWS[self.law].density(away / chosen, std / chosen) / chosen


def root(square: Scalar) -> Scalar:
    """Give √square, exact for symbols.

    >>> root(9.0)
    3.0
    """
    return square**HALF
