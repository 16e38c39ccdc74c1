"""Which offset c and which weights keep second moments and gradients, both at once.

A layer z′ = W(φ(z) − c) has E[z′²] = σ_w²·E[(φ(z) − c)²], and squared gradients grow by
χ = σ_w²·E[φ′(z)²] through it. With z ~ N(0, q):

    Var φ(z) ≤ q·E[φ′(z)²]          (Gaussian Poincaré inequality: Chernoff 1981)

so E[(φ − c)²] = Var φ + (m − c)², m = E φ, can be made q·E[φ′²] by

    (m − c)² = q·E[φ′²] − Var φ ≥ 0,

and σ_w² = 1/E[φ′²] then keeps both exactly: E[z′²] = q and χ = 1. Every φ has such a c
at every q. For ReLU it is 0 and σ_w² = 2, He's; for the identity any σ_w² = 1.

Where φ − φ(0) is odd, c = φ(0) loses no symmetry, and E[z′²] = q alone is kept; χ ≥ 1
is then the price, by the same inequality, and tends to 1 as q falls: nearly linear is
nearly isometric. ``largest_moment`` finds how large q may be over a depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, sqrt
from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError
from fanin.theory.gaussian import gaussian_rule

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction

SMALLEST_MOMENT: Final = 1e-4
N_HALVINGS: Final = 30
FLAT: Final = 1e-18
"""Of E[φ²]: slopes that are no more than rounding."""


@dataclass(frozen=True, kw_only=True)
class Centre:
    """A layer W(φ(z) − offset) for z ~ N(0, moment).

    offset: c, in φ's unit. weight_variance: σ_w² = n·Var(w), so that the next
    pre-activations have second moment ``moment`` again. growth: χ of squared gradients.
    """

    moment: float
    offset: float
    weight_variance: float
    growth: float


def centre_of(function: ScalarFunction, moment: float = 1.0) -> Centre:
    """Give the c nearer to 0 and the σ_w² that keep E[z²] = q and χ = 1.

    Args:
        function: φ, no constant.
        moment: q > 0.

    Raises:
        ArgumentError: if q is not above 0, or φ is flat where z is.

    >>> import numpy as np
    >>> he = centre_of(lambda x: np.maximum(x, 0.0))
    >>> round(abs(he.offset), 9), round(he.weight_variance, 12), round(he.growth, 12)
    (0.0, 2.0, 1.0)
    """
    _require(moment)
    rule = gaussian_rule(function, variance=moment)
    slopes = rule.slope_second_moment
    if moment * slopes <= FLAT * rule.second_moment:
        expected = "an activation with a slope where its input is"
        raise ArgumentError.of(
            argument="function", received=function, expected=expected
        )
    variance = max(rule.second_moment - rule.mean**2, 0.0)
    distance = sqrt(max(moment * slopes - variance, 0.0))
    offset = min((rule.mean - distance, rule.mean + distance), key=abs)
    return Centre(
        moment=moment, offset=offset, weight_variance=1.0 / slopes, growth=1.0
    )


def forward_kept(
    function: ScalarFunction, moment: float, offset: float = 0.0
) -> Centre:
    """Give σ_w² = q/E[(φ − c)²], which keeps E[z²] = q, and the χ that comes with it.

    Raises:
        ArgumentError: if q is not above 0, or φ − c is 0 where z is.

    >>> import numpy as np
    >>> kept = forward_kept(np.tanh, 1.0)
    >>> round(kept.weight_variance**0.5, 8), round(kept.growth, 6)
    (1.59253742, 1.177807)
    """
    _require(moment)
    rule = gaussian_rule(function, variance=moment)
    second = rule.second_moment - 2.0 * offset * rule.mean + offset**2
    if second <= FLAT * rule.second_moment:
        expected = "an activation that is not constant"
        raise ArgumentError.of(
            argument="function", received=function, expected=expected
        )
    variance = moment / second
    return Centre(
        moment=moment,
        offset=offset,
        weight_variance=variance,
        growth=variance * rule.slope_second_moment,
    )


def largest_moment(
    function: ScalarFunction, n_layers: int, *, growth: float, offset: float = 0.0
) -> Centre:
    """Give the layer with the largest q ≤ 1 at which χ^n_layers ≤ ``growth``.

    Where no q has that (φ is homogeneous, as x·|x| is: χ does not depend on q), q = 1.

    Args:
        function: φ with φ − offset odd.
        n_layers: a count ≥ 1.
        growth: of squared gradients over all layers, > 1.
        offset: c.

    Raises:
        ArgumentError: if φ − offset is constant.

    A linear layer keeps both at any size, tanh over 30 layers at rms 0.57:

    >>> import numpy as np
    >>> largest_moment(lambda x: 2.0 * x, 100, growth=4.0).moment
    1.0
    >>> round(largest_moment(np.tanh, 30, growth=4.0).moment ** 0.5, 2)
    0.57
    """
    allowed = log(growth) / n_layers
    largest = forward_kept(function, 1.0, offset)
    if _log(largest.growth) <= allowed:
        return largest
    low, high = SMALLEST_MOMENT, 1.0
    if _log(forward_kept(function, low, offset).growth) > allowed:
        return largest
    for _ in range(N_HALVINGS):
        middle = sqrt(low * high)
        if _log(forward_kept(function, middle, offset).growth) <= allowed:
            low = middle
        else:
            high = middle
    return forward_kept(function, low, offset)


def _log(growth: float) -> float:
    return log(growth) if 0.0 < growth < inf else inf


def _require(moment: float) -> None:
    if not 0.0 < moment < inf:
        expected = "a finite second moment above 0"
        raise ArgumentError.of(argument="moment", received=moment, expected=expected)
