"""One forward and one backward pass in symbols, without monsters.

Every value that is more than a number or a symbol gets the lesson's own name (z₁₁, a₁₁,
relu′(z₁₁), ŷ), and equal definitions get one name. So expressions stay as short as in
a textbook, and two values whose difference expands to 0 are equal for all inputs,
targets and parameters: equal definitions have equal values.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation import notation
from fanin.derivation.notation import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.derivation.functions import Nonlinearity
    from fanin.derivation.net import Net

Unit = tuple[int, int]


class Names:
    """Names for values: the same name for the same definition."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, Expr], Expr] = {}

    def name(self, kind: str, definition: Expr, symbol: Expr) -> Expr:
        """Give the name of a definition; ``symbol`` if it has none yet."""
        return self._names.setdefault((kind, definition), symbol)


@dataclass(frozen=True, kw_only=True)
class Trace:
    """All values of one pass at one point of parameter space.

    z, a: expressions of the values before and after φ, by (layer, unit); ``fed`` is
    what the next layer gets (a times its dropout mask). upstream: dL/da. slope:
    φ′(z). delta: dL/dz. gradient: dL/dθ of one sample, by entry. unnamed: delta before
    it was given a name, for deep nets.
    """

    net: Net
    point: Mapping[Entry, Expr]
    z: Mapping[Unit, Expr]
    a: Mapping[Unit, Expr]
    fed: Mapping[Unit, Expr]
    slope: Mapping[Unit, Expr]
    upstream: Mapping[Unit, Expr]
    delta: Mapping[Unit, Expr]
    unnamed: Mapping[Unit, Expr]
    y_hat: tuple[Expr, ...]
    gradient: Mapping[Entry, Expr]

    def is_zero(self, entry: Entry) -> bool:
        """Say whether dL/d(entry) is 0 for every input and target."""
        return bool(sympy.expand(self.gradient[entry]) == 0)

    def are_equal(self, one: Entry, other: Entry) -> bool:
        """Say whether two gradients are equal for every input and target."""
        return bool(sympy.expand(self.gradient[one] - self.gradient[other]) == 0)


def traced(
    net: Net,
    point: Mapping[Entry, Expr],
    masks: Mapping[Unit, Expr] = MappingProxyType({}),
) -> Trace:
    """Run one sample forward and backward through the net at a point.

    masks: dropout factors by (layer, unit), 1 where absent.
    """
    names = Names()
    z, a, fed, slope = _forward(net, point, masks, names)
    y_hat = _predictions(net, z, names)
    delta: dict[Unit, Expr] = {}
    upstream: dict[Unit, Expr] = {}
    unnamed: dict[Unit, Expr] = {}
    for k in net.units(net.n_layers):
        target = notation.y(k, net.n_outputs)
        unit = (net.n_layers, k)
        unnamed[unit] = net.loss.delta(y_hat[k - 1], target, net.n_outputs)
        delta[unit] = _kept(net, unnamed[unit], unit, names)
    if net.loss.output == "softmax":
        # Both the predictions and a one-hot target sum to 1, so the last dL/dz is
        # minus the sum of the others: with equal output weights they cancel.
        others = [delta[net.n_layers, k] for k in range(1, net.n_outputs)]
        delta[net.n_layers, net.n_outputs] = -sympy.Add(*others)
    for layer in range(net.n_layers - 1, 0, -1):
        for j in net.units(layer):
            unit = (layer, j)
            above = [
                delta[layer + 1, k] * point[net.weight(layer + 1, j, k)]
                for k in net.units(layer + 1)
            ]
            total = sympy.Add(*above) * masks.get(unit, 1)
            # Errors that cancel must be seen to, or a zero would be given a name.
            upstream[unit] = total if sympy.expand(total) != 0 else sympy.Integer(0)
            unnamed[unit] = upstream[unit] * slope[unit]
            delta[unit] = _kept(net, unnamed[unit], unit, names)
    return Trace(
        net=net,
        point=point,
        z=z,
        a=a,
        fed=fed,
        slope=slope,
        upstream=upstream,
        delta=delta,
        unnamed=unnamed,
        y_hat=y_hat,
        gradient={
            entry: delta[entry.layer, entry.j]
            * (1 if entry.is_bias else fed[entry.layer - 1, entry.i])
            for entry in net.entries
        },
    )


def _forward(
    net: Net, point: Mapping[Entry, Expr], masks: Mapping[Unit, Expr], names: Names
) -> tuple[dict[Unit, Expr], dict[Unit, Expr], dict[Unit, Expr], dict[Unit, Expr]]:
    z: dict[Unit, Expr] = {}
    a: dict[Unit, Expr] = {}
    slope: dict[Unit, Expr] = {}
    fed = {(0, i): notation.x(i) for i in net.units(0)}
    for layer in range(1, net.n_layers + 1):
        for j in net.units(layer):
            terms = [
                point[net.weight(layer, i, j)] * fed[layer - 1, i]
                for i in net.units(layer - 1)
            ]
            z[layer, j] = sympy.Add(*terms, point[Entry(layer, 0, j)])
            if layer < net.n_layers:
                unit = (layer, j)
                a[unit], slope[unit] = _activated(net.activation, z[unit], unit, names)
                fed[unit] = a[unit] * masks.get(unit, 1)
    return z, a, fed, slope


def _activated(
    activation: Nonlinearity, value: Expr, unit: Unit, names: Names
) -> tuple[Expr, Expr]:
    z_name = names.name("z", value, notation.z(*unit))
    a_name = names.name("a", value, notation.a(*unit))
    slope_name = names.name(
        "slope", value, notation.real(activation.slope_name(z_name.name))
    )
    is_known = value.is_number or value.is_Symbol
    activated = activation.at(value) if is_known else None
    slope = activation.slope_at(value) if is_known else None
    return (
        activated if _is_short(activated) else a_name,
        slope if _is_short(slope) else slope_name,
    )


def _is_short(value: Expr) -> bool:
    return value is not None and bool(value.is_number or value.is_Symbol)


def _predictions(net: Net, z: Mapping[Unit, Expr], names: Names) -> tuple[Expr, ...]:
    outputs = [z[net.n_layers, k] for k in net.units(net.n_layers)]
    return tuple(
        _OUTPUTS[net.loss.output](outputs, k, names) for k in range(len(outputs))
    )


def _linear(outputs: list[Expr], k: int, names: Names) -> Expr:
    own = outputs[k]
    if _is_short(own):
        return own
    return names.name("ŷ", own, notation.y_hat(k + 1, len(outputs)))


def _sigmoid(outputs: list[Expr], k: int, names: Names) -> Expr:
    if outputs[k].is_number:
        return 1 / (1 + sympy.exp(-outputs[k]))
    return names.name("ŷ", outputs[k], notation.y_hat(k + 1, len(outputs)))


def _softmax(outputs: list[Expr], k: int, names: Names) -> Expr:
    if all(output == outputs[0] for output in outputs):
        return sympy.Rational(1, len(outputs))
    definition = (outputs[k], tuple(sorted(outputs, key=sympy.default_sort_key)))
    return names.name("ŷ", definition, notation.y_hat(k + 1, len(outputs)))


_OUTPUTS: Mapping[str, Callable[[list[Expr], int, Names], Expr]] = {
    "linear": _linear,
    "sigmoid": _sigmoid,
    "softmax": _softmax,
}


def _kept(net: Net, value: Expr, unit: Unit, names: Names) -> Expr:
    """Give the value, or in nets of three layers up a name for a long one."""
    if net.n_layers <= 2 or _is_short(value):
        return value
    return names.name("δ", sympy.expand(value), notation.delta(*unit))
