"""Mean field theory of deep nets: the map of second moments, layer by layer.

Weights w ~ N(0, σ_w²/fan_in), biases b ~ N(0, σ_b²), width → ∞: pre-activations are
Gaussian, and their second moment follows V(q) = σ_w²·E[φ(√q·z)²] + σ_b². Squared
gradients grow by χ = σ_w²·E[φ′(√q·z)²] a layer. Poole et al. (2016), "Exponential
expressivity in deep neural networks through transient chaos", equation 3; Schoenholz
et al. (2017), "Deep information propagation", equations 3 and 15.

Orthogonal weights of the same σ_w have the same maps: a random orthogonal matrix, too,
makes wide layers Gaussian. What they change is the spread (`fanin.theory.spread`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf, isnan, log
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.activations import Gate, find_nonlinearity
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from fanin.activations import Activation, ActivationMoments, Nonlinearity
    from fanin.graph.graph import ScalarFunction

PROBES: Final = np.linspace(-2.0, 2.0, 65)


@dataclass(frozen=True, kw_only=True)
class MeanField:
    """The maps of one activation at one (σ_w², σ_b²).

    function: φ: a name ("gelu", "swiglu"), a function on float64 arrays, an
    `Activation` or a `Gate`. weight_variance: σ_w² = fan_in·Var[w], > 0;
    bias_variance: σ_b² ≥ 0; both dimensionless.

    Of a gated unit φ(a)·b every layer has two projections a and b, each of σ_w² and
    σ_b²; the map is V(q) = σ_w²·q·E[φ(√q·z)²] + σ_b², and χ sums both ways back.

    Raises:
        ArgumentError: if a variance is out of range, or the function does not run on
            arrays or has no second moment under N(0, 1).
        UnknownNameError: if there is no activation of that name.

    >>> relu = MeanField(function="relu", weight_variance=2.0)
    >>> round(relu.next_moment(3.0), 12), round(relu.growth(3.0), 12)
    (3.0, 1.0)
    """

    function: str | ScalarFunction | Activation | Gate
    weight_variance: float
    bias_variance: float = 0.0

    def __post_init__(self) -> None:
        _require(self.weight_variance, "weight_variance", least=None)
        _require(self.bias_variance, "bias_variance", least=0.0)
        require_moments(self.nonlinearity)

    @classmethod
    def of(
        cls,
        activation: str | ScalarFunction | Activation | Gate,
        *,
        sigma_w: float,
        sigma_b: float = 0.0,
    ) -> MeanField:
        """Give the maps for standard deviations instead of variances.

        Args:
            activation: a name or a function, as the field ``function``.
            sigma_w: √(fan_in·Var[w]), > 0: the gain of a fan_in scheme.
            sigma_b: standard deviation of a bias, ≥ 0.

        Raises:
            ArgumentError: if a number is out of range.

        >>> MeanField.of("tanh", sigma_w=1.5).weight_variance
        2.25
        """
        _require(sigma_w, "sigma_w", least=None)
        _require(sigma_b, "sigma_b", least=0.0)
        return cls(
            function=activation,
            weight_variance=sigma_w**2,
            bias_variance=sigma_b**2,
        )

    @cached_property
    def nonlinearity(self) -> Nonlinearity:
        """Give φ with its moments, found once."""
        return find_nonlinearity(self.function)

    def moments(self, q: float) -> ActivationMoments:
        """Give the moments of φ(√q·z), with the bound of their error."""
        return self.nonlinearity.moments(q)

    def next_moment(self, q: float) -> float:
        """Give V(q) = σ_w²·E[φ(√q·z)²] + σ_b²."""
        if q == inf:
            return inf
        return self.weight_variance * self.moments(q).second_moment + self.bias_variance

    def slope(self, q: float) -> float:
        """Give V′(q) = σ_w²·E[φ(√q·z)²·(z² − 1)]/(2q).

        Integration by parts of the Gaussian: no derivative of φ is needed, so kinks
        and jumps do no harm. At a fixed point |V′| < 1 means that it attracts.
        """
        return self.weight_variance * self.moments(q).second_moment_slope

    def growth(self, q: float) -> float:
        """Give χ = σ_w²·E[φ′(√q·z)²]: growth of the squared gradient a layer.

        At a fixed point it is C′(1) as well: below 1 two inputs become alike with depth
        (ordered), above 1 they part (chaotic), at 1 lies the edge of chaos. Infinite
        where φ jumps: two inputs part there however near they are, while the gradient
        that a framework computes does not see the jump.
        """
        return self.weight_variance * self.moments(q).derivative_second_moment

    def moments_by_layer(self, q: float, n_layers: int) -> tuple[float, ...]:
        """Give V(q), V(V(q)), …: n_layers numbers; infinite beyond float64.

        >>> tanh = MeanField(function="tanh", weight_variance=1.0)
        >>> [round(q, 8) for q in tanh.moments_by_layer(1.0, 3)]
        [0.39429449, 0.23645041, 0.16665635]
        """
        found = []
        for _ in range(n_layers):
            q = self.next_moment(q)
            found.append(q)
        return tuple(found)

    def gradients_by_layer(self, q: float, n_layers: int) -> tuple[float, ...]:
        """Give E[δ_l²]/E[δ_L²] for l = 1 … L = n_layers, from pre-activations of q.

        δ_l is the gradient at the pre-activations of layer l, of second moment q_l with
        q_1 = q. Going back, E[δ_l²] = χ(q_l)·E[δ_(l+1)²] with layers of equal width.
        Schoenholz et al. (2017), equation 15.

        >>> relu = MeanField(function="relu", weight_variance=1.0)
        >>> [round(g, 12) for g in relu.gradients_by_layer(1.0, 4)]
        [0.125, 0.25, 0.5, 1.0]
        """
        along = (q, *self.moments_by_layer(q, n_layers - 1))[:n_layers]
        found = [1.0]
        for moment in reversed(along[:-1]):
            growth = self.growth(moment) if moment < inf else inf
            found.append(found[-1] * growth)
        return tuple(reversed(found))


def depth_scale(slope: float) -> float:
    """Give ξ = −1/ln|slope|: layers in which a difference falls by e.

    Infinite at slope 1; negative where it grows by e instead. 0 at slope 0: gone within
    one layer; −0 at an infinite slope. Schoenholz et al. (2017), equations 7 and 9.

    >>> round(depth_scale(0.5), 8)
    1.44269504
    """
    size = abs(slope)
    if size == 0.0 or size == inf:
        return 0.0 if size == 0.0 else -0.0
    rate = log(size)
    return inf if rate == 0.0 else -1.0 / rate


def require_moments(nonlinearity: Nonlinearity) -> None:
    """Refuse what has no moments: no number somewhere, as ln x, or random, as dropout.

    Raises:
        ArgumentError: if its second moment under N(0, 1) is NaN, or it gives another
            value for the same input.
    """
    inner = nonlinearity.activation if isinstance(nonlinearity, Gate) else nonlinearity
    expected = ""
    if not np.array_equal(inner(PROBES), inner(PROBES), equal_nan=True):
        expected = "a function that gives the same values for the same inputs"
    elif isnan(nonlinearity.moments().second_moment):
        expected = "a function with a finite value wherever a Gaussian can be"
    if expected:
        raise ArgumentError.of(
            argument="activation", received=nonlinearity.name, expected=expected
        )


def _require(value: float, argument: str, *, least: float | None) -> None:
    """Refuse what is no finite number ≥ least, or not above 0 where least is None."""
    if value < inf and (value > 0.0 if least is None else value >= least):
        return
    bound = "above 0" if least is None else f"{least:g} or more"
    expected = f"a finite number, {bound}"
    raise ArgumentError.of(argument=argument, received=value, expected=expected)
