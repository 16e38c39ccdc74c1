"""The derivation on the page: net, start, forward, gradients, update, waking."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation import notation
from fanin.derivation.chainrule import (
    LOSS,
    gradient_formula,
    output_symbol,
    simplified,
)
from fanin.derivation.claims.movement import point_before
from fanin.derivation.functions import VALUE, Nonlinearity
from fanin.derivation.notation import ETA, Entry, real
from fanin.derivation.printing import LATEX, TEXT, Label, Product, chain, written
from fanin.derivation.proving import listed
from fanin.derivation.records import Formula, Section, Step
from fanin.derivation.trace import Trace, traced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.derivation.analysis import Analysis
    from fanin.derivation.net import Net

MOST_SHOWN = 6
NO_MASKS: Mapping[tuple[int, int], Expr] = MappingProxyType({})


def sections(analysis: Analysis) -> tuple[Section, ...]:
    """Give the derivation in the order in which a learner does it by hand."""
    parts = [
        _net_section(analysis.shown),
        _start_section(analysis),
        _forward_section(analysis),
        _gradient_section(analysis.trace),
        _update_section(analysis.trace),
    ]
    waking = _waking_section(analysis)
    return (*parts, waking) if waking.steps else tuple(parts)


def _net_section(net: Net) -> Section:
    steps = [
        Step(formula=chain(pre, general_sum(net, layer, j)))
        if layer == net.n_layers
        else Step(formula=_forward_pair(net, layer, j))
        for layer in range(1, net.n_layers + 1)
        for j in net.units(layer)
        for pre in (output_symbol(net, j),)
    ]
    if net.n_layers > 1:
        steps += _activation_steps(net)
    targets = [notation.y(k, net.n_outputs) for k in net.units(net.n_layers)]
    guesses = [notation.y_hat(k, net.n_outputs) for k in net.units(net.n_layers)]
    steps += _output_steps(net)
    value = net.loss.value(guesses, targets)
    steps.append(Step(text="Loss of one sample:", formula=chain(LOSS, value)))
    return Section(title="The net", steps=tuple(steps))


def _forward_pair(net: Net, layer: int, j: int) -> Formula:
    first = chain(notation.z(layer, j), general_sum(net, layer, j))
    phi = net.activation.latex
    inside = notation.z(layer, j).name
    name = Label(
        f"{notation.unicode_name(phi)}({notation.unicode_name(inside)})",
        rf"{phi}({inside})",
    )
    second = chain(notation.a(layer, j), name)
    return Formula(
        text=f"{first.text},  {second.text}",
        latex=rf"{first.latex}, \quad {second.latex}",
        sides=first.sides,
    )


def general_sum(
    net: Net, layer: int, j: int, masks: Mapping[tuple[int, int], Expr] = NO_MASKS
) -> Expr:
    """Give Σ w·a + b of one unit, in symbols; with its mask, Σ w·m·a + b."""
    terms = []
    for i in net.units(layer - 1):
        fed = notation.x(i) if layer == 1 else notation.a(layer - 1, i)
        mask = masks.get((layer - 1, i))
        parts = (fed,) if mask is None else (mask, fed)
        terms.append(Product((net.weight(layer, i, j).symbol, *parts)))
    bias = Entry(layer, 0, j).symbol
    text = " + ".join([_side(term)[0] for term in terms] + [written(bias, TEXT)])
    latex = " + ".join([_side(term)[1] for term in terms] + [written(bias, LATEX)])
    return Label(text, latex)


def _side(product: Product) -> tuple[str, str]:
    return (
        "".join(written(factor, TEXT) for factor in product.factors),
        " ".join(written(factor, LATEX) for factor in product.factors),
    )


def _activation_steps(net: Net) -> list[Step]:
    activation = net.activation
    name = Label(
        f"{notation.unicode_name(activation.latex)}(z)", f"{activation.latex}(z)"
    )
    slope_name = activation.slope_name("z")
    slope = Label(notation.unicode_name(slope_name), slope_name)
    steps = [
        Step(formula=chain(name, _cases(activation.expression))),
        Step(formula=chain(slope, _slope_shown(activation))),
    ]
    if activation.has_kink:
        value = written(activation.default_slope, TEXT)
        steps.append(
            Step(
                text="At the kink, z = 0, the derivative is a choice, written s: "
                f"PyTorch's and JAX's own {activation.name} take s = {value}."
            )
        )
    return steps


def _slope_shown(activation: Nonlinearity) -> Expr:
    if activation.slope_shown is None:
        return _cases(activation.slope)
    value = real(f"{activation.latex}(z)")
    return activation.slope_shown.subs(VALUE, value)


def _cases(expression: Expr) -> Expr:
    """Give a piecewise expression as a label, others as they are."""
    if not isinstance(expression, sympy.Piecewise):
        return expression
    parts = [
        (written(e, TEXT), written(e, LATEX), _when(c)) for e, c in expression.args
    ]
    text = "; ".join(f"{value} {when}" for value, _, when in parts)
    rows = r" \\ ".join(rf"{value} & \text{{{when}}}" for _, value, when in parts)
    return Label(f"{{{text}}}", rf"\begin{{cases}} {rows} \end{{cases}}")


def _when(condition: Expr) -> str:
    if condition == sympy.true:
        return "otherwise"
    return f"if z {'=' if isinstance(condition, sympy.Eq) else '>'} 0"


def _output_steps(net: Net) -> list[Step]:
    guess = notation.y_hat(1, net.n_outputs)
    own = output_symbol(net, 1)
    if net.loss.output == "sigmoid":
        return [Step(formula=chain(guess, 1 / (1 + sympy.exp(-own))))]
    if net.loss.output == "softmax":
        outputs = [output_symbol(net, k) for k in net.units(net.n_layers)]
        total = sympy.Add(*[sympy.exp(z) for z in outputs])
        return [
            Step(
                text="Softmax output, and so for the others; y is one-hot:",
                formula=chain(guess, sympy.exp(own) / total),
            )
        ]
    return []


def _start_section(analysis: Analysis) -> Section:
    steps = [Step(formula=_array(analysis, tensor)) for tensor in analysis.net.tensors]
    return Section(title="Starting values", steps=tuple(steps))


def _array(analysis: Analysis, tensor: str) -> Formula:
    entries = analysis.net.of(tensor)
    values = [analysis.start[entry] for entry in entries]
    name = Label(f"{tensor[0]}{tensor[1:]}", rf"{tensor[0]}_{{{tensor[1:]}}}")
    if all(value == values[0] for value in values):
        shape = " in all entries" if len(entries) > 1 else ""
        filled = chain(name, values[0])
        latex = (
            rf"{filled.latex} \; \text{{{shape.strip()}}}" if shape else filled.latex
        )
        return Formula(text=f"{filled.text}{shape}", latex=latex, sides=(values[0],))
    if values == [entry.symbol for entry in entries]:
        return Formula(
            text=f"{tensor}: any values, one symbol each",
            latex=rf"{name.latex}: \; \text{{any values, one symbol each}}",
        )
    pairs = [(e, v) for e, v in zip(entries, values, strict=True) if v != e.symbol]
    is_all = len(pairs) == len(entries)
    rest = "" if is_all else "; the others any values"
    latex_rest = "" if is_all else r"; \; \text{the others any values}"
    texts = ", ".join(f"{e} = {written(v, TEXT)}" for e, v in pairs)
    latexes = ", ".join(f"{e.symbol.name} = {written(v, LATEX)}" for e, v in pairs)
    return Formula(
        text=f"{tensor}: {texts}{rest}",
        latex=rf"{name.latex}: \; {latexes}{latex_rest}",
    )


def _forward_section(analysis: Analysis) -> Section:
    trace = analysis.trace
    net = trace.net
    steps = []
    if analysis.masks:
        steps.append(
            Step(
                text="Dropout multiplies each activation by a mask m of its own, 0 or "
                "1/(1 − p), drawn anew for every sample."
            )
        )
    for layer in range(1, net.n_layers + 1):
        for j in net.units(layer):
            own = output_or_z(net, layer, j)
            general = general_sum(net, layer, j, analysis.masks)
            steps.append(Step(formula=chain(own, general, trace.z[layer, j])))
            if layer < net.n_layers:
                value = trace.a[layer, j]
                shown = value if value != notation.a(layer, j) else _phi(net, layer, j)
                steps.append(Step(formula=chain(notation.a(layer, j), shown)))
    if net.loss.output != "linear":
        for k, guess in enumerate(trace.y_hat, 1):
            if guess != notation.y_hat(k, net.n_outputs):
                steps.append(
                    Step(formula=chain(notation.y_hat(k, net.n_outputs), guess))
                )
    return Section(title="Forward", steps=tuple(steps))


def output_or_z(net: Net, layer: int, j: int) -> Expr:
    """Give the symbol of a unit's sum, ŷ for a linear output."""
    return output_symbol(net, j) if layer == net.n_layers else notation.z(layer, j)


def _phi(net: Net, layer: int, j: int) -> Label:
    inside = notation.z(layer, j).name
    phi = net.activation.latex
    return Label(
        f"{notation.unicode_name(phi)}({notation.unicode_name(inside)})",
        f"{phi}({inside})",
    )


def shown_entries(net: Net, tensor: str) -> tuple[Entry, ...]:
    """Give all entries of a small array, else those among the first two units."""
    entries = net.of(tensor)
    if len(entries) <= MOST_SHOWN:
        return entries
    return tuple(e for e in entries if e.i <= 2 and e.j <= 2)


def _gradient_section(trace: Trace) -> Section:
    net = trace.net
    steps = []
    for tensor in reversed(net.tensors):
        entries = shown_entries(net, tensor)
        steps += [Step(formula=gradient_formula(trace, entry)) for entry in entries]
        left = len(net.of(tensor)) - len(entries)
        if left:
            steps.append(
                Step(text=f"and in the same way the other {left} of {tensor}.")
            )
    title = "Gradients by the chain rule, from the output back"
    return Section(title=title, steps=tuple(steps))


def _update_section(trace: Trace) -> Section:
    steps = [
        Step(
            text="Every parameter takes w ← w − η·dL/dw, with the mean over the batch; "
            "one sample's part is shown."
        )
    ]
    for tensor in trace.net.tensors:
        entry = trace.net.of(tensor)[0]
        change = simplified(trace, entry)
        new = sympy.expand(trace.point[entry]) - ETA * change
        steps.append(Step(formula=chain(entry.symbol, new, relation="←")))
    return Section(title="The update", steps=tuple(steps))


def _waking_section(analysis: Analysis) -> Section:
    steps = []
    last = max((step or 0 for step in analysis.moves.values()), default=0)
    for step in range(2, last + 1):
        woken = [t for t in analysis.net.tensors if analysis.step_of(t) == step]
        moved = [
            t for t in analysis.net.tensors if (analysis.step_of(t) or step) < step
        ]
        trace = traced(analysis.shown, point_before(analysis, step))
        steps.append(
            Step(text=f"Before step {step}, {listed(moved)} have any values. Then:")
        )
        steps += [
            Step(formula=gradient_formula(trace, analysis.net.of(t)[0])) for t in woken
        ]
    return Section(title="The next steps", steps=tuple(steps))
