"""FAN106 no-gradient.

## What it finds
Parameters whose gradient is exactly zero on this batch and stays so, though no tensor
of zeros explains it and no underflow does: units are dead or flat on the whole batch.

## Why it hurts
On this batch nothing can move them. Another batch could, if it reaches the other side
of a ReLU. A weight that multiplies a state of zeros wherever its output counts (the way
back of a recurrent layer, of which the last position alone is read) is a warning: the
model is one without that weight, and what else there is learns.

## When it is fine
Experts and branches that this batch did not choose: where the same numbers, shuffled
between the samples, move them, it is a note. So is a bias that a difference or a
normalization takes out again, and what sets the scores of a softmax over one entry.

## Example
    nn.init.constant_(model[0].bias, -100.0)   # every ReLU is off

## Use instead
    nn.init.zeros_(model[0].bias)

## Assumptions
Measured on two batches, the second one with the first one's numbers in other samples: a
local statement, no proof for others.

## Source
The closure is described in `fanin.rules.awakening`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind
from fanin.rules.rule import Rule, Severity
from fanin.rules.still import STILL, still
from fanin.rules.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection
    from fanin.rules.rule import Finding

# What reaches the output by way of a softmax over scores, and no other way.
IN_SCORES = {
    RoleKind.QUERY,
    RoleKind.KEY,
    RoleKind.POSITION_BIAS,
    RoleKind.LOGIT_SCALE,
}


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for what is still without a zero to blame, and notes."""
    freed = _elsewhere(inspection)
    elsewhere = tuple(path for path in inspection.awakening.stuck if path in freed)
    if elsewhere:
        yield still(
            inspection,
            RULE,
            elsewhere,
            severity=Severity.INFO,
            message=f"{count(len(elsewhere), 'parameter')} got a gradient of exactly 0 "
            "on this batch, and another one on the same numbers shuffled between "
            "samples.",
            measured="gradient 0 on this batch, not 0 on a second one",
            why="This batch does not reach them; another will.",
            fix="None is needed; a larger batch shows it.",
            mends=(),
        )
    if not inspection.stuck:
        return
    unexplained = inspection.lock.unexplained
    alone, scored = _lone_biases(inspection), _over_one_score(inspection)
    empty = _on_zeros(inspection)
    paths = tuple(p for p in unexplained if p not in {*alone, *scored, *empty})
    if empty:
        yield _of_zeros(inspection, empty)
    if paths:
        yield still(
            inspection,
            RULE,
            paths,
            message=f"{count(len(paths), 'parameter')} got a gradient of exactly 0 on "
            "this batch, and no step changes that.",
            why="What comes before or after it is off, or flat, for every sample.",
            fix="Look for dead or saturated units in the layers around it.",
        )
    if alone:
        yield still(
            inspection,
            RULE,
            alone,
            severity=Severity.INFO,
            message=f"{count(len(alone), 'bias', 'biases')} cannot move, though the "
            "weight beside it does: what comes after cancels it.",
            expected="no bias there",
            why="A difference, or a normalization, takes a constant out again.",
            fix="None is needed; the layer can be built without a bias.",
            mends=(),
        )
    if scored:
        yield still(
            inspection,
            RULE,
            scored,
            severity=Severity.INFO,
            message=f"{count(len(scored), 'parameter')} only set scores of which each "
            "softmax of this batch sees one: its share is 1 whatever they are.",
            measured=f"{STILL}; a softmax over one entry",
            why="On longer sequences, or larger images, they learn.",
            fix="None is needed; check on a batch of the size that is trained on.",
            mends=(),
        )


def _of_zeros(inspection: Inspection, paths: tuple[str, ...]) -> Finding:
    return still(
        inspection,
        RULE,
        paths,
        severity=Severity.WARNING,
        message=f"{count(len(paths), 'weight')} multiplied zeros alone wherever the "
        "output counts: an initial state that nothing was added to.",
        measured=f"{STILL}; the input is a constant 0",
        expected="an input that depends on the batch",
        why="It can never move, and does nothing: the model is one without it.",
        fix="Read the output where its state has seen something: the way back of a "
        "two-way layer ends at the first position (in PyTorch h_n holds both ends).",
        mends=(),
    )


def _on_zeros(inspection: Inspection) -> tuple[str, ...]:
    """Give stuck weights whose input is a constant 0 at every use that counts."""
    graph, sites = inspection.graph, inspection.awakened.sites
    uses: dict[str, list[bool]] = {}
    for node in graph.linears:
        site = sites.get(node.id)
        if node.weight is None or site is None or not site.gradient_second_moment:
            continue
        before = graph.node(node.inputs[0])
        is_zero = before.op is Op.CONSTANT and before.details.get("second_moment") == 0
        uses.setdefault(node.weight.path, []).append(is_zero)
    return tuple(p for p in inspection.lock.unexplained if all(uses.get(p, [False])))


def _elsewhere(inspection: Inspection) -> frozenset[str]:
    """Give what the second batch moves, and neither rounding nor this loss stops."""
    return inspection.elsewhere.difference(inspection.rounded_away, inspection.balanced)


def _lone_biases(inspection: Inspection) -> tuple[str, ...]:
    """Give the stuck biases of linear layers whose weight does move."""
    moving = inspection.awakening.rounds
    unexplained = inspection.lock.unexplained
    biases = (
        node.bias
        for node in inspection.graph.linears
        if node.weight is not None and node.weight.path in moving
    )
    return tuple(dict.fromkeys(b for b in biases if b is not None and b in unexplained))


def _over_one_score(inspection: Inspection) -> tuple[str, ...]:
    """Give what is still because each softmax of attention has one entry to share."""
    graph = inspection.graph
    lengths = {
        node.shape[axis]
        for node in graph.nodes
        if node.op is Op.SOFTMAX and isinstance(axis := node.details.get("axis"), int)
    }
    if 1 not in lengths:
        return ()
    beside = {
        node.bias: node.weight.path
        for node in graph.linears
        if node.bias is not None and node.weight is not None
    }
    kinds = {path: role.kind for path, role in inspection.roles.items()}
    return tuple(
        path
        for path in inspection.lock.unexplained
        if kinds.get(beside.get(path, path)) in IN_SCORES
    )


RULE = Rule(
    code="FAN106",
    name="no-gradient",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=(
        "FAN101",
        "FAN103",
        "FAN104",
        "FAN204",
        "FAN302",
        "FAN401",
        "FAN402",
        "FAN506",
    ),
    needs_closure=True,
)
