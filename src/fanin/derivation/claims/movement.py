"""Claims on what moves, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mpmath
import sympy

from fanin.derivation.arithmetic import arithmetic, descend, forward
from fanin.derivation.chainrule import (
    LOSS,
    gradient_formula,
    output_symbol,
    simplified,
    zero_factors,
)
from fanin.derivation.notation import Entry, unicode_name, x
from fanin.derivation.printing import chain, derivative
from fanin.derivation.proving import (
    checked,
    decimal,
    equal,
    listed,
    observed,
    proved,
    refuted,
)
from fanin.derivation.samples import numeric_batch, numeric_start
from fanin.derivation.trace import traced
from fanin.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.derivation.analysis import Analysis
    from fanin.derivation.invariant import Invariant
    from fanin.derivation.records import Claim, ProofStep

ANY_UPDATE = (
    "So the gradient of these entries is 0 wherever such a run can be, for every "
    "input, target and batch. An update computed from gradients that were always 0 "
    "(SGD, momentum, Adam) is 0: by induction they never move."
)


def movement_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Give one claim for each step at which arrays wake, and one for never."""
    net = analysis.net
    steps = {tensor: analysis.step_of(tensor) for tensor in net.tensors}
    never = [tensor for tensor, step in steps.items() if step is None]
    claims = [never_move(analysis, never)] if never else []
    for step in sorted({step for step in steps.values() if step is not None}):
        tensors = [tensor for tensor in net.tensors if steps[tensor] == step]
        claims.append(first_moves_at(analysis, tensors, step))
    return tuple(claims)


def never_move(
    analysis: Analysis, tensors: Sequence[str], statement: str = ""
) -> Claim:
    """Decide "these arrays never move"."""
    statement = statement or f"{listed(tensors)} never {_verb('move', tensors)}."
    awake = [tensor for tensor in tensors if analysis.step_of(tensor) is not None]
    changes = [analysis.movement(tensor).largest_change for tensor in tensors]
    text = (
        f"run: max |Δ| of {listed(tensors)} is {max(changes):.4g} after "
        f"{len(analysis.states) - 1} steps"
    )
    if awake:
        claim = _refute_by_movement(analysis, awake[0], statement)
        return observed(claim, text, agrees=max(changes) > 0)
    claim = proved(statement, _frozen_lines(analysis, tensors), kind="induction")
    return observed(claim, text, agrees=max(changes) == 0)


def _verb(verb: str, tensors: Sequence[str]) -> str:
    return verb if len(tensors) > 1 else f"{verb}s"


def _frozen_lines(analysis: Analysis, tensors: Sequence[str]) -> list[ProofStep]:
    pattern = analysis.pattern
    lines = [_start_line(pattern, analysis)]
    for tensor in tensors:
        entries = analysis.net.of(tensor)
        first = entries[0]
        zero = zero_factors(pattern.trace, first)
        named = listed([f"{part.label.text} = 0" for part in zero])
        alike = f", and so is the rest of {tensor}" if len(entries) > 1 else ""
        lines.append(
            checked(
                f"dL/d{first} is 0 at every such point, since {named}{alike}.",
                all(pattern.trace.is_zero(entry) for entry in entries) and zero,
                gradient_formula(pattern.trace, first),
            )
        )
    lines.append(
        checked(ANY_UPDATE, set(analysis.net.of(tensors[0])) <= pattern.frozen)
    )
    return lines


def _start_line(pattern: Invariant, analysis: Analysis) -> ProofStep:
    moving = [group[0] for group in pattern.classes]
    shown = listed([str(entry) for entry in moving[:6]]) if moving else "nothing"
    more = " and the like" if len(moving) > 6 else ""
    return checked(
        "Take any point at which the entries that shall be frozen have their starting "
        f"values, and {shown}{more} any values at all. The start is such a point.",
        all(pattern.point[e] == analysis.start[e] for e in pattern.frozen),
    )


def first_moves_at(analysis: Analysis, tensors: Sequence[str], step: int) -> Claim:
    """Prove "these arrays first move at that step"."""
    statement = f"{listed(tensors)} first {_verb('move', tensors)} at step {step}."
    lines = []
    for tensor in tensors:
        lines += _waking_lines(analysis, tensor, step)
    movements = [analysis.movement(tensor) for tensor in tensors]
    seen = {movement.first_seen for movement in movements}
    words = ", ".join(f"{m.tensor} at step {m.first_seen}" for m in movements)
    claim = proved(statement, lines, kind="witness", values=first_sample(analysis))
    return observed(claim, f"run: first moved {words}", agrees=seen == {step})


def _waking_lines(analysis: Analysis, tensor: str, step: int) -> list[ProofStep]:
    entries = [e for e in analysis.net.of(tensor) if analysis.moves[e] == step]
    entry = entries[0]
    lines = []
    if step > 1:
        before = traced(analysis.net, point_before(analysis, step - 1))
        lines.append(
            checked(
                f"Up to step {step - 1} the gradient of {tensor} is 0 for every input "
                "and target.",
                all(before.is_zero(e) for e in analysis.net.of(tensor)),
                gradient_formula(before, entry),
            )
        )
    trace = traced(analysis.net, point_before(analysis, step))
    state = analysis.states[step - 1]
    values = analysis.gradients_at(state)
    largest = max(entries, key=lambda e: abs(values[e]))
    lines.append(
        checked(
            f"At step {step} the gradient of {tensor} is not 0: the run has "
            f"dL/d{largest} = {decimal(values[largest])}.",
            abs(values[largest]) > 0 and not trace.is_zero(entry),
            chain(derivative(LOSS, entry.symbol), simplified(trace, entry)),
        )
    )
    return lines


def point_before(analysis: Analysis, step: int) -> dict[Entry, sympy.Expr]:
    """Give the start, with any values for what has moved before that step."""
    return {
        entry: analysis.pattern.point[entry]
        if (analysis.moves[entry] or step) < step
        else analysis.start[entry]
        for entry in analysis.net.entries
    }


def first_sample(analysis: Analysis) -> dict[str, float]:
    """Give the run's first sample by symbol."""
    inputs, targets = analysis.batch[0]
    names = [unicode_name(f"x_{{{i}}}") for i in analysis.net.units(0)]
    values = dict(zip(names, map(float, inputs), strict=True))
    n = analysis.net.n_outputs
    labels = ["y"] if n == 1 else [unicode_name(f"y_{{{k + 1}}}") for k in range(n)]
    return values | dict(zip(labels, map(float, targets), strict=True))


def _refute_by_movement(analysis: Analysis, tensor: str, statement: str) -> Claim:
    movement = analysis.movement(tensor)
    if movement.first_seen is None:
        msg = f"No run was found in which {tensor} moves, though nothing forbids it."
        raise InternalError.of(msg)
    step = movement.first_seen
    values = analysis.gradients_at(analysis.states[step - 1])
    entry = max(analysis.net.of(tensor), key=lambda e: abs(values[e]))
    line = checked(
        f"At step {step} of the run dL/d{entry} = {decimal(values[entry])}: {tensor} "
        "moves.",
        abs(values[entry]) > 0,
        gradient_formula(traced(analysis.net, point_before(analysis, step)), entry),
    )
    return refuted(statement, [line], first_sample(analysis))


def constant_predictor(analysis: Analysis) -> Claim:
    """Decide "the net predicts the same for every input, for ever"."""
    statement = "The net predicts one constant for every input, for ever."
    trace = analysis.pattern.trace
    net = analysis.net
    last = [trace.z[net.n_layers, k] for k in net.units(net.n_layers)]
    free = {symbol for value in last for symbol in value.free_symbols}
    biases = {Entry(net.n_layers, 0, k).symbol for k in net.units(net.n_layers)}
    if free <= biases:
        slopes = [sympy.diff(z, x(i)) for z in last for i in net.units(0)]
        line = checked(
            "At every point that the run can reach the derivative by every input is 0: "
            "only the output bias is left.",
            all(slope == 0 for slope in slopes),
            chain(output_symbol(net, 1), last[0]),
        )
        return proved(statement, [line, *_best_constant(analysis)], kind="induction")
    return _refute_constant(analysis, statement)


def _best_constant(analysis: Analysis) -> list[ProofStep]:
    """Show where that constant ends: at the mean target."""
    mean, guess = sympy.Symbol(r"\bar{y}", real=True), sympy.Symbol(r"\hat{y}")
    if analysis.net.n_outputs > 1 or analysis.net.loss.output == "softmax":
        return []
    slope = analysis.net.loss.delta(guess, mean, 1)
    return [
        equal(
            "The output bias rests where the mean of dL/dz over the batch is 0: the "
            "prediction is then the mean target ȳ.",
            sympy.solve(slope, guess)[0],
            mean,
            formula=chain(guess, mean),
        )
    ]


def _refute_constant(analysis: Analysis, statement: str) -> Claim:
    """Find two inputs with two predictions, in 40 digits: the first step is tiny."""
    net, last = analysis.net, analysis.net.n_layers
    kind = arithmetic(net.activation, "mpmath")
    with mpmath.workdps(40):
        start = numeric_start(net, analysis.start, kind, analysis.salt)
        batch = numeric_batch(net, kind, salt=analysis.salt)
        n_steps = analysis.last_wake + 1
        states = descend(
            net, kind, start, batch, rate=mpmath.mpf(1) / 10, n_steps=n_steps
        )
        found = [
            forward(net, kind, states[-1], inputs)[0][last, 1] for inputs, _ in batch
        ]
        apart = max(found) - min(found)
        line = checked(
            f"After {n_steps} steps the largest and the smallest z of the "
            f"samples differ by {mpmath.nstr(apart, 4)}.",
            apart > mpmath.mpf(10) ** -30,
        )
    return refuted(statement, [line], first_sample(analysis))
