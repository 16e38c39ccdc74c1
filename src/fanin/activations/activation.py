"""An activation: a scalar function, and what it does to a Gaussian."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, isfinite, log2
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.activations.correlation import (
    Side,
    half_squared_difference,
    joint_moment,
)
from fanin.activations.moments import (
    REACHES,
    ActivationMoments,
    gaussian_moments,
    moments_at_zero,
)
from fanin.activations.pieces import Pieces, build
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph.graph import ScalarFunction

SMALLEST_RADIUS: Final = 16.0
"""Pieces reach at least this far."""
LARGEST_RADIUS: Final = 2.0**20
"""Beyond this a value counts as lying at it."""
ORDINARY: Final = 4.0
"""Where a pre-activation of variance 1 lies: 0.99994 of all."""
FLAT: Final = 0.05
"""A slope below this share of the steepest is flat."""


@dataclass(frozen=True, kw_only=True)
class Activation:
    """A scalar function with its moments, found from its float64 values alone.

    name, aliases: as found by `find_activation`. function: entry by entry, on float64
    arrays of any shape. formula: in print. option, family: of a function with a
    number in it, the number's name and number → function.
    """

    name: str
    function: ScalarFunction
    aliases: tuple[str, ...] = ()
    formula: str = ""
    option: str = ""
    family: Callable[[float], ScalarFunction] | None = None
    _found: dict[object, ActivationMoments] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _pieces: list[Pieces] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Evaluate the function on float64.

        Raises:
            ArgumentError: if it does not give one number for each.
        """
        array = np.asarray(x, dtype=np.float64)
        with np.errstate(all="ignore"):
            values = np.asarray(self.function(array))
        if values.shape != array.shape or values.dtype.kind not in "fiub":
            received = f"shape {values.shape}, dtype {values.dtype}"
            expected = (
                f"a function that keeps the shape {array.shape} and gives numbers"
            )
            raise ArgumentError.of(
                argument=self.name, received=received, expected=expected
            )
        return values.astype(np.float64, copy=False)

    def moments(self, q: float = 1.0) -> ActivationMoments:
        """Give the moments of φ(z), z ~ N(0, q).

        Args:
            q: variance of the pre-activation, ≥ 0. At 0 the derivative's moment is
                the mean of both one-sided slopes squared: the limit from above.

        Raises:
            ArgumentError: if q is negative, infinite or no number.

        >>> from fanin.activations import find_activation
        >>> print(f"{find_activation('relu').moments(4.0).second_moment:.12f}")
        2.000000000000
        """
        if not 0.0 <= q < inf:
            raise ArgumentError.of(
                argument="q", received=q, expected="a variance: finite and ≥ 0"
            )
        if q not in self._found:
            self._found[q] = self._at_zero() if q == 0.0 else self._integrate(q)
        return self._found[q]

    @property
    def forward_gain(self) -> float:
        """Give 1 / √E[φ²] at variance 1: with it, second moment 1 stays 1."""
        return _inverse_root(self.moments().second_moment)

    @property
    def backward_gain(self) -> float:
        """Give 1 / √E[φ′²] at variance 1: with it, gradients keep their size."""
        return _inverse_root(self.moments().derivative_second_moment)

    @property
    def is_homogeneous(self) -> bool:
        """Say whether φ(c·x) = c·φ(x) for every c > 0: two rays that meet at 0.

        Decided from the values at ±10⁻⁶ … ±10⁶, to a relative 1e-6 (float32).
        """
        scale = np.logspace(-6, 6, 121)
        rays = np.stack([self(scale), self(-scale)]) / scale
        if not np.isfinite(rays).all():
            return False
        return bool(np.ptp(rays, axis=1).max() <= 1e-6 * np.abs(rays).max())

    def slope(self, x: np.ndarray) -> np.ndarray:
        """Give φ′ at ``x``; at a kink, from the right."""
        x = np.asarray(x, dtype=np.float64)
        radius = float(
            np.abs(x, where=np.isfinite(x), out=np.zeros_like(x)).max(initial=0)
        )
        return self.pieces_within(min(radius, LARGEST_RADIUS)).slope(x)

    def flat_share(self, values: np.ndarray) -> float:
        """Give the share of pre-activations at which φ is flat, from 0 to 1.

        Flat: |φ′| below 5 % of the steepest slope on (−4, 4). NaN counts as flat.

        >>> from fanin.activations import find_activation
        >>> find_activation("relu").flat_share(np.array([-3.0, -1.0, 1.0, 2.0]))
        0.5
        """
        values = np.asarray(values, dtype=np.float64).ravel()
        if not values.size:
            return 0.0
        steepest = np.abs(self.slope(np.linspace(-ORDINARY, ORDINARY, 513))).max()
        bounded = np.clip(values, -LARGEST_RADIUS, LARGEST_RADIUS)
        is_steep = np.abs(self.slope(bounded)) >= FLAT * steepest
        return 1.0 - float(np.mean(is_steep & ~np.isnan(values)))

    def correlation(
        self, c: float, q: float = 1.0, other_q: float | None = None
    ) -> float:
        """Give E[φ(u)·φ(v)], u and v Gaussian of correlation c, variances q, other_q.

        Args:
            c: from −1 to 1.
            q: variance of u, > 0.
            other_q: variance of v, > 0; None for q.

        Raises:
            ArgumentError: if an argument is out of range.

        >>> from fanin.activations import find_activation
        >>> print(f"{find_activation('identity').correlation(0.25):.12f}")
        0.250000000000
        """
        return self._joint(self, c, q, q if other_q is None else other_q)

    def derivative_correlation(
        self, c: float, q: float = 1.0, other_q: float | None = None
    ) -> float:
        """Give E[φ′(u)·φ′(v)]; arguments and errors as `correlation`.

        >>> from fanin.activations import find_activation
        >>> print(f"{find_activation('relu').derivative_correlation(0.0):.12f}")
        0.250000000000
        """
        return self._joint(self.slope, c, q, q if other_q is None else other_q)

    def correlation_slope(self, c: float, q: float = 1.0) -> float:
        """Give dE[φ(u)·φ(v)]/dc = q·E[φ′(u)·φ′(v)]; infinite at c = ±1 at a jump.

        Price's theorem (1958). Arguments and errors as `correlation`.
        """
        if abs(c) == 1.0 and self.moments(q).has_jump:
            return inf
        return q * self.derivative_correlation(c, q)

    def decorrelation(self, gap: float, q: float = 1.0) -> float:
        """Give E[φ²] − E[φ(u)·φ(v)] at correlation 1 − gap, to relative accuracy.

        Args:
            gap: 1 − c, from 0 to 2.
            q: variance of u and v, > 0.

        Raises:
            ArgumentError: if an argument is out of range.

        >>> from fanin.activations import find_activation
        >>> print(f"{find_activation('identity').decorrelation(1e-9):.6e}")
        1.000000e-09
        """
        if gap > 1.0:
            return self.moments(q).second_moment - self.correlation(1.0 - gap, q)
        _require_correlation(1.0 - gap)
        return half_squared_difference(self._side(self, q), gap)

    def pieces_within(self, radius: float) -> Pieces:
        """Give the function as Chebyshev pieces on at least (−radius, radius)."""
        if not self._pieces or self._pieces[-1].edges[-1] < radius:
            wanted = max(SMALLEST_RADIUS, 2.0 ** np.ceil(log2(max(radius, 1.0))))
            known = self._pieces[-1].kinks if self._pieces else np.array([])
            self._pieces.append(build(self, float(wanted), known))
        return self._pieces[-1]

    def _integrate(self, q: float) -> ActivationMoments:
        return gaussian_moments(self, self.pieces_within, q)

    def _at_zero(self) -> ActivationMoments:
        value = float(self(np.zeros(1))[0])
        return moments_at_zero(value, self.pieces_within(SMALLEST_RADIUS))

    def _joint(
        self, function: Callable[[np.ndarray], np.ndarray], c: float, q: float, r: float
    ) -> float:
        _require_correlation(c)
        return joint_moment(self._side(function, q), self._side(function, r), c)

    def _side(
        self, function: Callable[[np.ndarray], np.ndarray], variance: float
    ) -> Side:
        if not 0.0 < variance < inf:
            raise ArgumentError.of(
                argument="q", received=variance, expected="finite and above 0"
            )
        sigma = variance**0.5
        pieces = self.pieces_within(REACHES[0] * sigma)
        return Side(
            function=function, sigma=sigma, edges=pieces.edges, corners=pieces.corners
        )


def _require_correlation(c: float) -> None:
    if not -1.0 <= c <= 1.0:
        raise ArgumentError.of(
            argument="c", received=c, expected="a correlation, from −1 to 1"
        )


def _inverse_root(moment: float) -> float:
    if moment == 0.0:
        return inf
    return moment**-0.5 if isfinite(moment) else 0.0
