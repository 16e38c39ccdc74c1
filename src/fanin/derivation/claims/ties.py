"""Claims on twins: units that stay equal for ever, and entries that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy

from fanin.derivation.analysis import ROUNDING
from fanin.derivation.chainrule import (
    LOSS,
    gradient_formula,
    product_of_factors,
    simplified,
    unnamed_gradient,
)
from fanin.derivation.claims.movement import first_sample
from fanin.derivation.invariant import unit_entries
from fanin.derivation.notation import Entry
from fanin.derivation.printing import TEXT, Label, chain, derivative, written
from fanin.derivation.proving import (
    checked,
    decimal,
    equal,
    listed,
    observed,
    proved,
    refuted,
)
from fanin.errors import InternalError

if TYPE_CHECKING:
    from fanin.derivation.analysis import Analysis
    from fanin.derivation.records import Claim, ProofStep


def twin_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Give one claim for each hidden layer: its units stay equal for ever, or not."""
    layers = range(1, analysis.net.n_layers)
    wide = [layer for layer in layers if analysis.net.widths[layer] > 1]
    return tuple(units_stay_equal(analysis, layer) for layer in wide)


def units_stay_equal(analysis: Analysis, layer: int, premise: str = "") -> Claim:
    """Decide "the hidden units of this layer stay equal for ever"."""
    where = "hidden units" + (
        "" if analysis.net.n_layers == 2 else f" of layer {layer}"
    )
    opening = f"{premise} the" if premise else "The"
    statement = f"{opening} {where} stay equal to each other for ever."
    ties = analysis.ties(layer)
    if ties.are_all_tied:
        lines = _tied_lines(analysis, layer, 1, 2)
        if analysis.net.widths[layer] > 2:
            n = analysis.net.widths[layer]
            text = f"In the same way for every pair of the {n} units."
            lines.append(checked(text, len(ties.blocks) == 1))
        claim = proved(statement, lines, kind="induction")
        text = f"run: largest difference between them is {ties.spread:.4g}"
        return observed(claim, text, agrees=ties.spread == 0)
    heads = [block[0] for block in ties.blocks]
    gap = analysis.gap(layer, heads[0], heads[1])
    claim = _refute_twins(analysis, layer, heads[0], heads[1], statement)
    text = f"run: units {heads[0]} and {heads[1]} come to differ by {gap:.4g}"
    return observed(claim, text, agrees=gap > 0)


def pair_stays_equal(analysis: Analysis, layer: int, one: int, other: int) -> Claim:
    """Decide "these two units stay equal for ever"."""
    statement = f"Units {one} and {other} of layer {layer} stay equal for ever."
    gap = analysis.gap(layer, one, other)
    text = f"run: they come to differ by {gap:.4g}"
    block = next(b for b in analysis.pattern.twins(layer) if one in b)
    if other in block:
        lines = _tied_lines(analysis, layer, one, other)
        claim = proved(statement, lines, kind="induction")
        return observed(claim, text, agrees=gap == 0)
    claim = _refute_twins(analysis, layer, one, other, statement)
    return observed(claim, text, agrees=gap > 0)


def _tied_lines(
    analysis: Analysis, layer: int, one: int, other: int
) -> list[ProofStep]:
    trace = analysis.pattern.trace
    mine, theirs = unit_entries(analysis.net, layer, one, other)
    pairs = list(zip(mine, theirs, strict=True))
    shown = listed([f"{p} = {q}" for p, q in pairs])
    lines = [
        checked(
            "Start: the two units have the same incoming weights, bias and outgoing "
            f"weights: {shown}.",
            all(analysis.start[p] == analysis.start[q] for p, q in pairs),
        ),
        checked(
            "Step: take any point with these equalities. Then the two units compute "
            f"the same: z{_sub(layer, one)} = z{_sub(layer, other)} for every input.",
            trace.z[layer, one] == trace.z[layer, other],
            chain(
                *(Label(f"z{_sub(layer, u)}", _z(layer, u)) for u in (one, other)),
                trace.z[layer, one],
            ),
        ),
    ]
    for p, q in pairs:
        lines.append(
            equal(
                f"dL/d{p} = dL/d{q}.",
                derivative(LOSS, p.symbol),
                derivative(LOSS, q.symbol),
                simplified(trace, p),
                simplified(trace, q),
            )
        )
    lines.append(
        checked(
            "Equal values with equal gradients get equal updates from any "
            "deterministic element-wise rule (SGD, momentum, Adam, weight decay), "
            "whatever the learning rate and the order of batches. So the next point "
            "has these equalities too, and by induction every later one.",
            all(trace.are_equal(p, q) for p, q in pairs),
        )
    )
    return lines


def _sub(layer: int, unit: int) -> str:
    return str(Entry(layer, 0, unit))[1:]


def _z(layer: int, unit: int) -> str:
    return f"z_{{{layer}{unit}}}"


def _refute_twins(
    analysis: Analysis, layer: int, one: int, other: int, statement: str
) -> Claim:
    mine, theirs = unit_entries(analysis.net, layer, one, other)
    pairs = list(zip(mine, theirs, strict=True))
    for step, state in enumerate(analysis.states):
        p, q = max(pairs, key=lambda pair: abs(state[pair[0]] - state[pair[1]]))
        if abs(state[p] - state[q]) > 1e-9:
            when = "At the start" if step == 0 else f"After step {step} of the run"
            line = checked(
                f"{when} {p} = {decimal(state[p])} and {q} = {decimal(state[q])}.",
                state[p] != state[q],
            )
            return refuted(statement, [line], first_sample(analysis))
    msg = f"Units {one} and {other} of layer {layer} are neither tied nor told apart."
    raise InternalError.of(msg)


def gradients_equal(analysis: Analysis, one: Entry, other: Entry) -> Claim:
    """Decide "dL/d(one) = dL/d(other) at the start, for every input and target"."""
    statement = f"dL/d{one} = dL/d{other} at the start, for every input and target."
    trace = analysis.trace
    values = analysis.gradients_at(analysis.states[0])
    text = f"run: {decimal(values[one])} and {decimal(values[other])} at step 1"
    if trace.are_equal(one, other):
        lines = [_product_line(analysis, entry) for entry in (one, other)]
        lines.append(
            equal(
                "Their difference is 0.",
                trace.gradient[one] - trace.gradient[other],
                sympy.Integer(0),
                formula=chain(
                    Label(f"dL/d{one} − dL/d{other}", _difference(one, other)),
                    sympy.expand(trace.gradient[one] - trace.gradient[other]),
                ),
            )
        )
        agrees = abs(values[one] - values[other]) <= ROUNDING
        return observed(proved(statement, lines), text, agrees=agrees)
    claim = _refute_equal_gradients(analysis, one, other, statement)
    return observed(claim, text, agrees=values[one] != values[other])


def _product_line(analysis: Analysis, entry: Entry) -> ProofStep:
    trace = analysis.trace
    return equal(
        f"The chain rule for {entry}:",
        product_of_factors(trace, entry),
        unnamed_gradient(trace, entry),
        formula=gradient_formula(trace, entry),
    )


def _refute_equal_gradients(
    analysis: Analysis, one: Entry, other: Entry, statement: str
) -> Claim:
    sample = next((s for s in analysis.batch if _differ(analysis, one, other, s)), None)
    if sample is None:
        msg = f"No sample was found at which dL/d{one} and dL/d{other} differ."
        raise InternalError.of(msg)
    values = analysis.gradients_at(analysis.states[0], [sample])
    trace = analysis.trace
    difference = sympy.factor(trace.gradient[one] - trace.gradient[other])
    line = checked(
        f"At this sample dL/d{one} = {decimal(values[one])} and dL/d{other} = "
        f"{decimal(values[other])}.",
        values[one] != values[other],
        chain(Label(f"dL/d{one} − dL/d{other}", _difference(one, other)), difference),
    )
    numbers = {
        f"x{written(sympy.Symbol(f'_{{{i + 1}}}'), TEXT)}": float(value)
        for i, value in enumerate(sample[0])
    }
    return refuted(statement, [line], numbers | {"y": float(sample[1][0])})


def _differ(analysis: Analysis, one: Entry, other: Entry, sample: object) -> bool:
    values = analysis.gradients_at(analysis.states[0], [sample])  # type: ignore[list-item]
    return bool(abs(values[one] - values[other]) > 1e-9)


def _difference(one: Entry, other: Entry) -> str:
    first, second = derivative(LOSS, one.symbol), derivative(LOSS, other.symbol)
    return f"{first.latex} - {second.latex}"


def all_entries_stay_equal(analysis: Analysis) -> Claim:
    """Decide the textbook wording "all elements of W1 stay equal"."""
    statement = "All elements of W1 stay equal to each other."
    within = (Entry(1, 1, 1), Entry(1, 2, 1))
    if analysis.pattern.are_tied(*within):
        entries = analysis.net.of("W1")
        line = checked(
            "All of them are frozen or in one class of the pattern above.",
            all(analysis.pattern.are_tied(entries[0], entry) for entry in entries),
        )
        return proved(statement, [line], kind="induction")
    state = analysis.states[-1]
    if analysis.trace.are_equal(*within):
        claim = _refute_equal_entries(analysis, *within, statement)
    else:
        claim = _refute_equal_gradients(analysis, *within, statement)
    shown = [f"{entry} = {decimal(state[entry])}" for entry in within]
    text = f"run: {', '.join(shown)}"
    return observed(claim, text, agrees=state[within[0]] != state[within[1]])


def _refute_equal_entries(
    analysis: Analysis, one: Entry, other: Entry, statement: str
) -> Claim:
    for step, state in enumerate(analysis.states):
        if abs(state[one] - state[other]) > ROUNDING:
            line = checked(
                f"After step {step} of the run {one} = {decimal(state[one])} and "
                f"{other} differs from it by {decimal(state[other] - state[one])}.",
                state[one] != state[other],
            )
            return refuted(statement, [line], first_sample(analysis))
    msg = f"{one} and {other} are neither tied nor told apart."
    raise InternalError.of(msg)


def works_as_one_unit(analysis: Analysis) -> Claim:
    """Decide "the net computes what a net with one hidden unit computes"."""
    net = analysis.net
    statement = (
        f"The {net.name} net is a net with one unit in each hidden layer, for ever."
    )
    pattern = analysis.pattern
    if any(len(pattern.twins(layer)) > 1 for layer in range(1, net.n_layers)):
        layer = next(k for k in range(1, net.n_layers) if len(pattern.twins(k)) > 1)
        one, other = (block[0] for block in pattern.twins(layer)[:2])
        return _refute_twins(analysis, layer, one, other, statement)
    lines = [_narrow_line(analysis, layer) for layer in range(1, net.n_layers + 1)]
    return proved(statement, lines, kind="induction")


def _narrow_line(analysis: Analysis, layer: int) -> ProofStep:
    net, trace = analysis.net, analysis.pattern.trace
    width = net.widths[layer - 1]
    value = trace.z[layer, 1]
    if layer == 1:
        return checked(
            "All units of layer 1 are copies of unit 1.",
            len({trace.z[1, j] for j in net.units(1)}) == 1,
            chain(Label("z₁₁", "z_{11}"), value),
        )
    before = trace.fed[layer - 1, 1]
    weight = trace.point[net.weight(layer, 1, 1)]
    bias = trace.point[Entry(layer, 0, 1)]
    return equal(
        f"Layer {layer} sees {width} equal inputs: one with {width} times the weight.",
        value,
        width * weight * before + bias,
    )
