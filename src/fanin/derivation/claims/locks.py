"""Claims on the two locks of the zero start, and on φ′(0)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.derivation.chainrule import gradient_formula, zero_factors
from fanin.derivation.claims.movement import never_move
from fanin.derivation.claims.symmetry import masks_of
from fanin.derivation.functions import ANY_VANISHING, SIGMOID
from fanin.derivation.invariant import refine
from fanin.derivation.losses import BINARY
from fanin.derivation.net import Net
from fanin.derivation.notation import SLOPE_AT_ZERO, Entry
from fanin.derivation.printing import TEXT, written
from fanin.derivation.proving import checked, decimal, listed, proved, refuted
from fanin.derivation.start import start_from
from fanin.derivation.trace import traced
from fanin.errors import InternalError

if TYPE_CHECKING:
    from fanin.derivation.analysis import Analysis
    from fanin.derivation.records import Claim, ProofStep


def weights_of(net: Net) -> list[str]:
    """Name the weight arrays and the hidden biases: all but the output bias."""
    return [tensor for tensor in net.tensors if tensor != f"b{net.n_layers}"]


def nothing_ever_moves(analysis: Analysis) -> Claim:
    """Decide the short wording "no parameter ever moves"."""
    statement = "No parameter ever moves."
    return never_move(analysis, _awake_first(analysis), statement)


def _awake_first(analysis: Analysis) -> list[str]:
    never = len(analysis.net.entries) + 1
    return sorted(analysis.net.tensors, key=lambda t: analysis.step_of(t) or never)


def a_zero_factor_in_each_product(analysis: Analysis) -> Claim:
    """Decide "at the start each weight's chain-rule product has a factor that is 0"."""
    statement = (
        "At the start each weight's chain-rule product holds a factor that is 0."
    )
    trace = analysis.trace
    entries = [e for e in analysis.net.entries if not e.is_bias]
    free = next((e for e in entries if not zero_factors(trace, e)), None)
    if free is not None:
        value = analysis.gradients_at(analysis.states[0])[free]
        line = checked(
            f"dL/d{free} has none; in the run it is {decimal(value)} at step 1.",
            value != 0,
            gradient_formula(trace, free),
        )
        return refuted(statement, [line], {})
    lines = []
    for layer in range(1, analysis.net.n_layers + 1):
        entry = Entry(layer, 1, 1)
        named = listed([part.label.text for part in zero_factors(trace, entry)])
        lines.append(
            checked(
                f"In dL/d{entry}, and in all of W{layer}, it is {named}.",
                all(zero_factors(trace, e) for e in analysis.net.of(f"W{layer}")),
                gradient_formula(trace, entry),
            )
        )
    return proved(statement, lines)


def is_locked(analysis: Analysis) -> bool:
    """Say whether all but the output bias is frozen, for any φ with φ(0) = 0."""
    net = analysis.net.with_activation(ANY_VANISHING)
    stuck = {e for e in net.entries if e.tensor != f"b{net.n_layers}"}
    vanishes = analysis.net.activation.vanishes_at_zero
    return vanishes and stuck <= refine(net, analysis.start).frozen


def any_vanishing_activation_locks(analysis: Analysis) -> Claim:
    """Prove "any φ with φ(0) = 0 locks the weights, whatever φ′(0) is"."""
    statement = (
        "The same weights are stuck with any activation φ with φ(0) = 0, whatever its "
        "derivative."
    )
    return proved(statement, _lock_lines(analysis), kind="induction")


def slope_at_zero_is_the_reason(analysis: Analysis) -> Claim:
    """Refute "the weights are stuck because φ′(0) = 0"."""
    name = analysis.net.activation.name
    statement = f"The weights are stuck because the derivative of {name} at 0 is 0."
    freed = never_move(analysis.with_slope(1), weights_of(analysis.net))
    line = checked(
        "With φ′(0) = 1 in place of 0 the same weights are stuck, by the two locks.",
        freed.holds,
        freed.proof.steps[1].formula,
    )
    return refuted(statement, [line, *_lock_lines(analysis)], {"s": 1.0})


def _lock_lines(analysis: Analysis) -> list[ProofStep]:
    net = analysis.net.with_activation(ANY_VANISHING)
    pattern = refine(net, analysis.start)
    stuck = [e for e in net.entries if e.tensor != f"b{net.n_layers}"]
    last = Entry(net.n_layers, 1, 1)
    return [
        checked(
            "Take any φ with φ(0) = 0 and any φ′(0) = s. First lock: the last weights "
            "are multiplied by activations φ(0) = 0, so their gradient is 0.",
            last in pattern.frozen,
            gradient_formula(pattern.trace, last),
        ),
        checked(
            "Second lock: what comes before passes its error through the last weights, "
            "which are 0, so its gradient is 0.",
            stuck[0] in pattern.frozen,
            gradient_formula(pattern.trace, stuck[0]),
        ),
        checked(
            "Each lock holds the other, and neither uses s: all gradients but the "
            "output bias's are 0 at every later point too.",
            set(stuck) <= pattern.frozen
            and not any(pattern.trace.gradient[e].has(SLOPE_AT_ZERO) for e in stuck),
        ),
    ]


def slope_decides(analysis: Analysis, value: object, statement: str = "") -> Claim:
    """Decide "with φ′(0) = value the weights never move"."""
    changed = analysis.with_slope(value)
    name = analysis.net.activation.name
    number = written(changed.net.activation.default_slope, TEXT)
    statement = statement or (
        f"With {name}′(0) = {number} no weight ever moves, whatever the output weights."
    )
    return never_move(changed, weights_of(analysis.net), statement)


def dropout_frees_the_zero_start(analysis: Analysis) -> Claim:
    """Decide "dropout frees the all-zero net"."""
    statement = "Dropout frees the all-zero net."
    net = analysis.net
    masks = masks_of(net)
    stuck = [e for e in net.entries if e.tensor != f"b{net.n_layers}"]
    trace = traced(net, analysis.pattern.point, masks)
    if not all(trace.is_zero(e) for e in stuck):
        msg = "Dropout's part in this start was not decided."
        raise InternalError.of(msg)
    last = Entry(net.n_layers, 1, 1)
    line = checked(
        "A mask m multiplies an activation that is 0: 0·m = 0, for any m.",
        all(trace.is_zero(e) for e in stuck),
        gradient_formula(trace, last),
    )
    return refuted(statement, [line], {})


def equal_losses_are_the_reason(analysis: Analysis) -> Claim:
    """Answer the learner's question: is it because the loss is the same for 0 and 1?"""
    statement = (
        "Zero weights never move because the loss is the same for y = 0 and y = 1."
    )
    ours, other = analysis, _equal_losses_yet_awake(analysis)
    losses = [_loss_at_target(ours, target) for target in (0.0, 1.0)]
    same = [_loss_at_target(other, target) for target in (0.0, 1.0)]
    moved = other.movement("W2").largest_change
    stuck = max(ours.movement(t).largest_change for t in weights_of(ours.net))
    lines = [
        checked(
            f"Here, with {ours.net.loss.name}, the loss of one sample at the start is "
            f"{decimal(losses[0])} for y = 0 and {decimal(losses[1])} for y = 1, and "
            f"no weight moves (max |Δ| = {stuck:.4g}).",
            stuck == 0,
        ),
        checked(
            "With sigmoid hidden units and binary cross-entropy the loss is the same "
            f"for both, {decimal(same[0])}, and W2 moves at step 1 (max |Δ| = "
            f"{moved:.4g}).",
            abs(same[0] - same[1]) < 1e-12 and moved > 0,
        ),
    ]
    entry, last = Entry(1, 1, 1), Entry(2, 1, 1)
    named = [
        listed([part.label.text for part in zero_factors(ours.trace, e)])
        for e in (entry, last)
    ]
    lines.append(
        checked(
            f"The cause is a zero factor: {named[0]} = 0 in dL/d{entry} and {named[1]} "
            f"= 0 in dL/d{last}. The target y stands in dL/dŷ alone.",
            bool(named[0]) and bool(named[1]),
            gradient_formula(ours.trace, last),
        )
    )
    return refuted(statement, lines, {})


def _equal_losses_yet_awake(analysis: Analysis) -> Analysis:
    net = Net(widths=(2, 2, 1), activation=SIGMOID, loss=BINARY)
    return replace(analysis, net=net, shown=net, start=start_from(net, {}))


def _loss_at_target(analysis: Analysis, target: float) -> float:
    inputs, targets = analysis.batch[0]
    sample = (inputs, tuple(target for _ in targets))
    return analysis.loss_at(analysis.states[0], [sample])
