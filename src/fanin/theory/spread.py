"""What finite width adds: one draw of the weights is not the mean over draws.

A layer of n units estimates E[φ²] from n draws. With Gaussian weights its second moment
is the predicted one times a factor of relative variance (κ − 1)/n, κ = E[φ⁴]/E[φ²]²,
and the factors of successive layers multiply. For ReLU κ = 6 and E[q²]/E[q]² is
Π(1 + 5/n) exactly. Hanin & Rolnick (2018), "How to start training", theorem 5.
"""

from __future__ import annotations

from math import log, log1p
from typing import TYPE_CHECKING, Final

from fanin.activations import Activation
from fanin.errors import ArgumentError
from fanin.theory.gaussian import gaussian_rule

if TYPE_CHECKING:
    from fanin.theory.gaussian import GaussianRule
    from fanin.theory.mean_field import MeanField

WEIGHTS: Final = {"gaussian": 1.0, "orthogonal": 0.0}
"""Relative variance of the squared singular values of a square weight: of
Marchenko & Pastur's law 1, of an orthogonal matrix 0."""


def moment_spread(field: MeanField, q: float, *, width: int, depth: int) -> float:
    """Give Var[ln q_L] over draws of Gaussian weights, behind ``depth`` layers.

    The input's second moment is exactly q and the first layer reads the input, so
    ``depth`` activations lie between q and q_L. A layer adds ln(1 + (κ − 1)/n), times
    the square of the share that weights and not biases have in V; what came before is
    damped or magnified by d ln V/d ln q. Exact in E[q²] for homogeneous φ without
    biases; first order in 1/n otherwise.

    Args:
        field: the maps.
        q: second moment of the first pre-activations, > 0.
        width: units a layer, > 0.
        depth: activations that are passed, ≥ 0.

    Raises:
        ArgumentError: if the width or the depth is out of range, or φ is a gated unit.

    >>> import math
    >>> from fanin.theory import MeanField
    >>> relu = MeanField(function="relu", weight_variance=2.0)
    >>> round(math.exp(moment_spread(relu, 1.0, width=40, depth=10)), 6)  # (1 + 5/40)¹⁰
    3.247321
    """
    _require_counts(width, depth)
    total = 0.0
    for _ in range(depth):
        rule = _rule(field, q)
        following = field.next_moment(q)
        if following <= 0.0:
            return total  # nothing is left that could differ between draws
        share = 1.0 - field.bias_variance / following
        damped = field.slope(q) * q / following
        total = damped**2 * total + share**2 * log1p((rule.kurtosis - 1.0) / width)
        q = following
    return total


def jacobian_spread(
    field: MeanField, q: float, *, depth: int, weights: str = "gaussian"
) -> float:
    """Give the relative variance of the squared singular values of dx_L/dx_0.

    Their mean is χ₁^L; their variance over the square of the mean is
    L·(E[φ′⁴]/E[φ′²]² − 1 + v), v = 1 for Gaussian and 0 for orthogonal weights: the
    factors are free of each other, and relative variances of free factors add. At 0
    every direction is scaled alike (dynamical isometry): only orthogonal weights with
    |φ′| constant have that. Pennington, Schoenholz & Ganguli (2018), "The emergence of
    spectral universality in deep networks", equations 16 and 17.

    Args:
        field: the maps; square layers.
        q: second moment of all pre-activations, a fixed point.
        depth: layers, ≥ 0.
        weights: "gaussian" or "orthogonal".

    Raises:
        ArgumentError: for other weights, a depth below 0, or a gated unit.

    >>> from fanin.theory import MeanField
    >>> relu = MeanField(function="relu", weight_variance=2.0)
    >>> [round(jacobian_spread(relu, 1.0, depth=10, weights=w)) for w in WEIGHTS]
    [20, 10]
    """
    if weights not in WEIGHTS:
        expected = " or ".join(map(repr, WEIGHTS))
        raise ArgumentError.of(argument="weights", received=weights, expected=expected)
    _require_counts(1, depth)
    rule = _rule(field, q)
    squares = rule.slopes**2
    peaked = rule.expect(squares**2) / rule.expect(squares) ** 2
    return depth * (peaked - 1.0 + WEIGHTS[weights])


def widest_depth(kurtosis: float, width: int, factor: float = 2.0) -> float:
    """Give the depth at which E[q²] exceeds E[q]² by ``factor``, at slope 1.

    >>> round(widest_depth(6.0, 128), 1)
    18.1
    """
    return log(factor) / log1p((kurtosis - 1.0) / width)


def _rule(field: MeanField, q: float) -> GaussianRule:
    nonlinearity = field.nonlinearity
    if not isinstance(nonlinearity, Activation):
        expected = "an activation, not a gated unit"
        raise ArgumentError.of(
            argument="field", received=nonlinearity.name, expected=expected
        )
    return gaussian_rule(nonlinearity, variance=q)


def _require_counts(width: int, depth: int) -> None:
    if width < 1 or depth < 0:
        expected = "a width of 1 or more and a depth of 0 or more"
        raise ArgumentError.of(
            argument="width, depth", received=(width, depth), expected=expected
        )
