"""A tiny engine of real steps: plain Python over floats, fractions or mpmath numbers.

It shares no code with the symbolic pass but the activation's formula, adds in one fixed
order for every unit (so twins are equal to the last bit, which a matrix product does
not promise), and runs a few steps of full-batch gradient descent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import sympy

from fanin.derivation.functions import Nonlinearity, Z
from fanin.derivation.notation import SLOPE_AT_ZERO, Entry

if TYPE_CHECKING:
    from fractions import Fraction

    from fanin.derivation.net import Net

# A float, a Fraction or an mpmath number: all have + − × ÷ and comparison.
Scalar: TypeAlias = Any
Parameters = Mapping[Entry, Scalar]
Sample = tuple[tuple[Scalar, ...], tuple[Scalar, ...]]
Unit = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """A kind of numbers: how to make one, e^x, and the activation on it.

    number: from a Fraction. exp: e^x. value, slope: φ and φ′.
    """

    number: Callable[[Fraction], Scalar]
    exp: Callable[[Scalar], Scalar]
    value: Callable[[Scalar], Scalar]
    slope: Callable[[Scalar], Scalar]


@lru_cache(maxsize=64)
def arithmetic(activation: Nonlinearity, module: str = "math") -> Arithmetic:
    """Give floats ("math") or mpmath numbers ("mpmath") with this activation.

    A kink's φ′(0) that is still a symbol takes the frameworks' value.

    >>> from fanin.derivation.functions import RELU
    >>> arithmetic(RELU).value(-1.0), arithmetic(RELU).slope(0.0)
    (0, 0)
    """
    slope = activation.slope
    if activation.has_kink:
        slope = slope.subs(SLOPE_AT_ZERO, activation.default_slope)
    exact = sympy.lambdify(Z, sympy.exp(Z), module)
    return Arithmetic(
        number=float if module == "math" else _mpmath_number,
        exp=exact,
        value=sympy.lambdify(Z, activation.expression, module),
        slope=sympy.lambdify(Z, slope, module),
    )


def fractions(activation: Nonlinearity) -> Arithmetic:
    """Give exact fractions, for activations that stay rational (ReLU, identity)."""
    floats = arithmetic(activation)
    return Arithmetic(
        number=lambda value: value,
        exp=floats.exp,
        value=floats.value,
        slope=floats.slope,
    )


def _mpmath_number(value: Fraction) -> Scalar:
    import mpmath

    return mpmath.mpf(value.numerator) / value.denominator


def gradients(
    net: Net,
    kind: Arithmetic,
    parameters: Parameters,
    batch: Sequence[Sample],
    masks: Mapping[Unit, Scalar] | None = None,
) -> dict[Entry, Scalar]:
    """Give the gradient of the batch's mean loss, by entry."""
    total: dict[Entry, Scalar] = dict.fromkeys(net.entries, 0)
    for sample in batch:
        one = one_pass(net, kind, parameters, sample, masks).gradient
        total = {entry: total[entry] + one[entry] for entry in net.entries}
    return {entry: total[entry] / len(batch) for entry in net.entries}


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One sample forward and backward, in numbers.

    z, a: before and after φ, by (layer, unit), layer 0 being the inputs; what a hidden
    unit passes on is a, times its dropout mask. slope: φ′(z) of hidden units. upstream:
    dL/da of hidden units. delta: dL/dz. gradient: dL/dθ of this sample, by entry.
    """

    z: Mapping[Unit, Scalar]
    a: Mapping[Unit, Scalar]
    slope: Mapping[Unit, Scalar]
    y_hat: tuple[Scalar, ...]
    upstream: Mapping[Unit, Scalar]
    delta: Mapping[Unit, Scalar]
    gradient: Mapping[Entry, Scalar]


def one_pass(
    net: Net,
    kind: Arithmetic,
    parameters: Parameters,
    sample: Sample,
    masks: Mapping[Unit, Scalar] | None = None,
) -> Pass:
    """Run one sample forward and backward.

    masks: dropout factors by (layer, unit), 1 where absent.
    """
    masks = masks or {}
    z, fed = forward(net, kind, parameters, sample[0], masks)
    last = net.n_layers
    y_hat = outputs(net, kind, [z[last, k] for k in net.units(last)])
    delta: dict[Unit, Scalar] = {}
    slope: dict[Unit, Scalar] = {}
    upstream: dict[Unit, Scalar] = {}
    for k in net.units(last):
        delta[last, k] = _output_delta(net, y_hat[k - 1], sample[1][k - 1])
    for layer in range(last - 1, 0, -1):
        for j in net.units(layer):
            back: Scalar = 0
            for k in net.units(layer + 1):
                back += delta[layer + 1, k] * parameters[Entry(layer + 1, j, k)]
            unit = (layer, j)
            upstream[unit] = back * masks.get(unit, 1)
            slope[unit] = kind.slope(z[unit])
            delta[unit] = upstream[unit] * slope[unit]
    return Pass(
        z=z,
        a=fed,
        slope=slope,
        y_hat=tuple(y_hat),
        upstream=upstream,
        delta=delta,
        gradient={
            entry: delta[entry.layer, entry.j]
            * (1 if entry.is_bias else fed[entry.layer - 1, entry.i])
            for entry in net.entries
        },
    )


def forward(
    net: Net,
    kind: Arithmetic,
    parameters: Parameters,
    inputs: Sequence[Scalar],
    masks: Mapping[Unit, Scalar] | None = None,
) -> tuple[dict[Unit, Scalar], dict[Unit, Scalar]]:
    """Give z by unit, and what each unit feeds to the next layer."""
    z: dict[Unit, Scalar] = {}
    fed: dict[Unit, Scalar] = {(0, i): inputs[i - 1] for i in net.units(0)}
    for layer in range(1, net.n_layers + 1):
        for j in net.units(layer):
            total = parameters[Entry(layer, 0, j)]
            for i in net.units(layer - 1):
                total = total + parameters[Entry(layer, i, j)] * fed[layer - 1, i]
            z[layer, j] = total
            fed[layer, j] = kind.value(total) * (masks or {}).get((layer, j), 1)
    return z, fed


def outputs(net: Net, kind: Arithmetic, logits: Sequence[Scalar]) -> list[Scalar]:
    """Give the predictions ŷ of the output layer's z."""
    if net.loss.output == "linear":
        return list(logits)
    if net.loss.output == "sigmoid":
        return [_logistic(kind, z) for z in logits]
    powers = [kind.exp(z - max(logits)) for z in logits]
    return [power / sum(powers) for power in powers]


def _logistic(kind: Arithmetic, z: Scalar) -> Scalar:
    """Give 1/(1 + e^(−z)) without overflow on either side."""
    if z >= 0:
        return 1 / (1 + kind.exp(-z))
    power = kind.exp(z)
    return power / (1 + power)


def _output_delta(net: Net, prediction: Scalar, target: Scalar) -> Scalar:
    if net.loss.output == "softmax":
        return prediction - target
    factor = 2 if net.loss.output == "linear" else 1
    return factor * (prediction - target) / net.n_outputs


def descend(
    net: Net,
    kind: Arithmetic,
    start: Parameters,
    batch: Sequence[Sample],
    *,
    rate: Scalar,
    n_steps: int,
) -> list[dict[Entry, Scalar]]:
    """Give the parameters at the start and after each step w ← w − η·dL/dw."""
    states = [dict(start)]
    for _ in range(n_steps):
        now = states[-1]
        slope = gradients(net, kind, now, batch)
        states.append({e: now[e] - rate * slope[e] for e in net.entries})
    return states
