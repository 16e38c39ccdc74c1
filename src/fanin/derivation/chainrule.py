"""Gradients as chain-rule products, factor by factor, in the lesson's notation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation import notation
from fanin.derivation.printing import Label, Product, chain, derivative

if TYPE_CHECKING:
    from fanin.derivation.net import Net
    from fanin.derivation.notation import Entry
    from fanin.derivation.records import Formula
    from fanin.derivation.trace import Trace

LOSS = sympy.Symbol("L")


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One factor of a chain-rule product: dL/dŷ, say, and its value here."""

    label: Label
    value: Expr

    @property
    def is_zero(self) -> bool:
        """Say whether it is 0 for every input and target."""
        return bool(sympy.expand(self.value) == 0)


def output_symbol(net: Net, k: int) -> Expr:
    """Give the symbol of output k before the output function: ŷ itself if linear."""
    if net.loss.output == "linear":
        return notation.y_hat(k, net.n_outputs)
    return notation.z(net.n_layers, k)


def pre_activation(net: Net, layer: int, j: int) -> Expr:
    """Give the symbol of a unit's weighted sum."""
    if layer == net.n_layers:
        return output_symbol(net, j)
    return notation.z(layer, j)


def factors(trace: Trace, entry: Entry) -> tuple[Factor, ...]:
    """Give the chain-rule factors of dL/d(entry), from the loss down to the entry.

    dL/dw₁₁ = dL/dŷ · dŷ/da₁₁ · da₁₁/dz₁₁ · dz₁₁/dw₁₁. Where several paths lead from
    the loss to a unit, their sum is the one factor dL/da.
    """
    net = trace.net
    own = pre_activation(net, entry.layer, entry.j)
    fed = 1 if entry.is_bias else trace.fed[entry.layer - 1, entry.i]
    last = Factor(label=derivative(own, entry.symbol), value=sympy.sympify(fed))
    if entry.layer == net.n_layers:
        return (*_at_output(trace, entry.j), last)
    unit = (entry.layer, entry.j)
    activation = notation.a(*unit)
    through = Factor(label=derivative(activation, own), value=trace.slope[unit])
    return (*_above(trace, entry, activation), through, last)


def _above(trace: Trace, entry: Entry, activation: Expr) -> tuple[Factor, ...]:
    net = trace.net
    unit = (entry.layer, entry.j)
    is_one_path = entry.layer + 1 == net.n_layers and net.n_outputs == 1
    if not is_one_path:
        label = derivative(LOSS, activation)
        return (Factor(label=label, value=trace.upstream[unit]),)
    weight = trace.point[net.weight(entry.layer + 1, entry.j, 1)]
    mask = _ratio(trace.fed[unit], trace.a[unit])
    down = Factor(
        label=derivative(output_symbol(net, 1), activation), value=weight * mask
    )
    return (*_at_output(trace, 1), down)


def _ratio(fed: Expr, activated: Expr) -> Expr:
    return 1 if fed == activated else sympy.cancel(fed / activated)


def _at_output(trace: Trace, k: int) -> tuple[Factor, ...]:
    net = trace.net
    predicted = trace.y_hat[k - 1]
    target = notation.y(k, net.n_outputs)
    symbol = notation.y_hat(k, net.n_outputs)
    if net.loss.output == "softmax":
        # Each ŷ depends on each z: the sum over outputs is ŷ − y for a one-hot target.
        value = trace.unnamed[net.n_layers, k]
        return (Factor(label=derivative(LOSS, output_symbol(net, k)), value=value),)
    slope = Factor(
        label=derivative(LOSS, symbol),
        value=net.loss.slope(predicted, target, net.n_outputs),
    )
    if net.loss.output == "linear":
        return (slope,)
    through = Factor(
        label=derivative(symbol, output_symbol(net, k)),
        value=predicted * (1 - predicted),
    )
    return (slope, through)


def gradient_formula(trace: Trace, entry: Entry) -> Formula:
    """Give dL/dw = the factors = their values = the simplified product."""
    parts = factors(trace, entry)
    return chain(
        derivative(LOSS, entry.symbol),
        Product(tuple(part.label for part in parts)),
        Product(tuple(sympy.factor_terms(part.value) for part in parts)),
        simplified(trace, entry),
    )


def product_of_factors(trace: Trace, entry: Entry) -> Expr:
    """Give the product of the factors' values."""
    return sympy.Mul(*(part.value for part in factors(trace, entry)))


def unnamed_gradient(trace: Trace, entry: Entry) -> Expr:
    """Give dL/d(entry) with dL/dz written out, as the factors have it."""
    fed = 1 if entry.is_bias else trace.fed[entry.layer - 1, entry.i]
    return trace.unnamed[entry.layer, entry.j] * fed


def simplified(trace: Trace, entry: Entry) -> Expr:
    """Give dL/d(entry) as short as it gets: factored, 0 where it is 0."""
    gradient = trace.gradient[entry]
    return sympy.Integer(0) if trace.is_zero(entry) else sympy.factor_terms(gradient)


def zero_factors(trace: Trace, entry: Entry) -> tuple[Factor, ...]:
    """Give the factors of dL/d(entry) that are 0."""
    return tuple(part for part in factors(trace, entry) if part.is_zero)
