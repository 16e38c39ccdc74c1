"""Gains: the σ_w at which an activation keeps second moments, or gradients.

The forward gain 1/√E[φ²] keeps the second moment of pre-activations, the backward gain
1/√E[φ′²] the gradient's; He et al. (2015), equations 9 and 14, for ReLU, where both
are √2. They differ for every φ that is not homogeneous, and neither says whether the
fixed point that it makes attracts: `slope` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from fanin.activations import find_nonlinearity
from fanin.errors import ArgumentError
from fanin.theory.mean_field import require_moments

if TYPE_CHECKING:
    from fanin.activations import Activation, Gate
    from fanin.graph.graph import ScalarFunction


@dataclass(frozen=True, kw_only=True)
class Gains:
    """Both gains of an activation at one second moment q of its pre-activations.

    activation: its name. mean, second_moment, derivative_second_moment: E[φ], E[φ²],
    E[φ′²] under N(0, q). forward: σ_w with σ_w²·E[φ²] = q. backward: σ_w with
    σ_w²·E[φ′²] = 1. slope: V′(q) at the forward gain; above 1 q is a repeller.
    growth: χ at the forward gain; above 1 gradients grow. error: bound of the error of
    the three moments.
    """

    activation: str
    q: float
    mean: float
    second_moment: float
    derivative_second_moment: float
    forward: float
    backward: float
    slope: float
    growth: float
    error: float


def gains(
    activation: str | ScalarFunction | Activation | Gate, q: float = 1.0
) -> Gains:
    """Give both gains of an activation, and what the forward gain leads to.

    Args:
        activation: a name ("gelu", "leaky_relu(0.2)", "swiglu") or a function of
            float64 arrays.
        q: second moment of the pre-activations, > 0.

    Raises:
        UnknownNameError: if there is no activation of that name.
        ArgumentError: if q is out of range or the function does not run on arrays.

    >>> tanh = gains("tanh")
    >>> round(tanh.forward, 8), round(tanh.backward, 8)
    (1.59253742, 1.46741359)
    >>> gains("gelu").slope > 1.0  # the gain is exact, and its fixed point repels
    True
    """
    if not 0.0 < q < inf:
        expected = "a second moment: finite and above 0"
        raise ArgumentError.of(argument="q", received=q, expected=expected)
    nonlinearity = find_nonlinearity(activation)
    require_moments(nonlinearity)
    moments = nonlinearity.moments(q)
    squared = q * _inverse(moments.second_moment)
    return Gains(
        activation=nonlinearity.name,
        q=q,
        mean=moments.mean,
        second_moment=moments.second_moment,
        derivative_second_moment=moments.derivative_second_moment,
        forward=squared**0.5,
        backward=_inverse(moments.derivative_second_moment) ** 0.5,
        slope=squared * moments.second_moment_slope,
        growth=squared * moments.derivative_second_moment,
        error=moments.error,
    )


def _inverse(moment: float) -> float:
    if moment == 0.0:
        return inf
    return 1.0 / moment if moment < inf else 0.0
