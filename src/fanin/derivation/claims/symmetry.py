"""Claims on what keeps two units equal and what tells them apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation.analysis import ROUNDING
from fanin.derivation.arithmetic import gradients
from fanin.derivation.chainrule import unnamed_gradient
from fanin.derivation.claims.ties import pair_stays_equal
from fanin.derivation.invariant import unit_entries
from fanin.derivation.notation import Entry, real
from fanin.derivation.printing import Label, chain
from fanin.derivation.proving import checked, decimal, proved, refuted
from fanin.derivation.start import generic
from fanin.derivation.trace import traced
from fanin.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.derivation.analysis import Analysis
    from fanin.derivation.net import Net
    from fanin.derivation.records import Claim, ProofStep


def twins_need_all_three(analysis: Analysis) -> Claim:
    """Prove: twins for ever ⇔ equal incoming weights, bias, outgoing weights."""
    statement = (
        "Two units stay equal for ever if and only if they share all three: incoming "
        "weights, bias and outgoing weights. Sharing two of them is not enough."
    )
    kept = pair_stays_equal(_starting(analysis, lambda _: False), 1, 1, 2)
    lines = [
        checked(f"If: {step.text}", step.holds, step.formula)
        for step in kept.proof.steps
    ]
    apart: tuple[tuple[str, Callable[[Entry], bool]], ...] = (
        ("incoming weights", lambda e: e.layer == 1 and not e.is_bias),
        ("bias", lambda e: e.layer == 1 and e.is_bias),
        ("outgoing weights", lambda e: e.layer == 2),
    )
    lines += [_only_if(analysis, words, differs) for words, differs in apart]
    return proved(statement, lines, kind="induction")


def _starting(analysis: Analysis, differs: Callable[[Entry], bool]) -> Analysis:
    """Give a generic start with units 1 and 2 equal, but where they shall differ."""
    net = analysis.net
    mine, theirs = unit_entries(net, 1, 1, 2)
    start: dict[Entry, Expr] = {e: generic(e) for e in net.entries}
    start |= {q: start[p] for p, q in zip(mine, theirs, strict=True) if not differs(q)}
    return replace(analysis, start=start)


def _only_if(
    analysis: Analysis, words: str, differs: Callable[[Entry], bool]
) -> ProofStep:
    changed = _starting(analysis, differs)
    mine, theirs = unit_entries(changed.net, 1, 1, 2)
    trace = changed.trace
    pairs = list(zip(mine, theirs, strict=True))
    shared = [(p, q) for p, q in pairs if not differs(q)]
    values = changed.gradients_at(changed.states[0])
    p, q = max(shared, key=lambda pair: abs(values[pair[0]] - values[pair[1]]))
    difference = sympy.factor(trace.gradient[p] - trace.gradient[q])
    return checked(
        f"Only if: let the {words} alone differ. Then what they still share gets "
        f"different gradients: in the run dL/d{p} = {decimal(values[p])} and dL/d{q} = "
        f"{decimal(values[q])} at step 1.",
        abs(values[p] - values[q]) > 1e-9 and not trace.are_equal(p, q),
        chain(Label(f"dL/d{p} − dL/d{q}", _latex(p, q)), difference),
    )


def _latex(p: Entry, q: Entry) -> str:
    return rf"\frac{{dL}}{{d{p.symbol.name}}} - \frac{{dL}}{{d{q.symbol.name}}}"


def masks_of(net: Net) -> Mapping[tuple[int, int], Expr]:
    """Give one dropout factor a unit of the first hidden layer: m₁, m₂, …."""
    return {(1, j): real(f"m_{{{j}}}") for j in net.units(1)}


def dropout_breaks_the_tie(analysis: Analysis) -> Claim:
    """Decide "with dropout the hidden units still stay equal"."""
    statement = "With dropout the hidden units still stay equal for ever."
    masks = masks_of(analysis.net)
    trace = traced(analysis.net, analysis.pattern.point, masks)
    pairs = list(zip(*unit_entries(analysis.net, 1, 1, 2), strict=True))
    p, q = pairs[0]
    difference = sympy.factor(unnamed_gradient(trace, p) - unnamed_gradient(trace, q))
    equal_masks = difference.subs(masks[1, 2], masks[1, 1])
    step, found = _first_difference(analysis, p, q)
    return refuted(
        statement,
        [
            checked(
                "Each unit has a mask of its own, 0 or 1/(1 − p). Where the units are "
                "equal the gradients differ as soon as m₁ ≠ m₂, and only then.",
                difference != 0 and sympy.expand(equal_masks) == 0,
                chain(Label(f"dL/d{p} − dL/d{q}", _latex(p, q)), difference),
            ),
            checked(
                f"With m₁ = 0, m₂ = 2 (p = ½) the run has dL/d{p} = "
                f"{decimal(found[p])} and dL/d{q} = {decimal(found[q])} "
                f"at step {step}.",
                abs(found[p] - found[q]) > ROUNDING,
            ),
        ],
        {"m₁": 0.0, "m₂": 2.0},
    )


def _first_difference(
    analysis: Analysis, p: Entry, q: Entry
) -> tuple[int, Mapping[Entry, float]]:
    """Give the first step of the run at which unequal masks part two gradients."""
    masks = {(1, 1): 0.0, (1, 2): 2.0}
    for step, state in enumerate(analysis.states, 1):
        found = gradients(analysis.net, analysis.numbers, state, analysis.batch, masks)
        if abs(found[p] - found[q]) > ROUNDING:
            return step, found
    msg = "No step was found at which the masks part the two units."
    raise InternalError.of(msg)


def equal_masks_keep_the_tie(analysis: Analysis) -> Claim:
    """Prove "a mask shared by the two units keeps them equal"."""
    statement = "A dropout mask shared by all units of the layer would keep them equal."
    shared = sympy.Symbol("m", real=True)
    masks = {(1, j): shared for j in analysis.net.units(1)}
    trace = traced(analysis.net, analysis.pattern.point, masks)
    pairs = list(zip(*unit_entries(analysis.net, 1, 1, 2), strict=True))
    lines = [
        checked(
            f"dL/d{p} = dL/d{q} for any m, at every point with these equalities.",
            trace.are_equal(p, q),
        )
        for p, q in pairs
    ]
    return proved(statement, lines, kind="induction")
