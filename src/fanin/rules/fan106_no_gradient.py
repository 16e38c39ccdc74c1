"""FAN106 no-gradient.

## What it finds
Parameters whose gradient is exactly zero on this batch and stays so, though no tensor
of zeros explains it and no underflow does: units are dead or flat on the whole batch.

## Why it hurts
On this batch nothing can move them. Another batch could, if it reaches the other side
of a ReLU.

## When it is fine
Experts and branches that this batch did not choose; try a larger batch. A bias that a
difference or a normalization takes out again is a note, and no fault.

## Example
    nn.init.constant_(model[0].bias, -100.0)   # every ReLU is off

## Use instead
    nn.init.zeros_(model[0].bias)

## Assumptions
Measured on one batch: a local statement, no proof for others.

## Source
The closure is described in `fanin.rules.awakening`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import count, listing, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for what is still without a zero to blame, and one for biases."""
    if not inspection.stuck:
        return
    alone = _lone_biases(inspection)
    paths = tuple(p for p in inspection.lock.unexplained if p not in alone)
    if paths:
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(paths),
            message=f"{count(len(paths), 'parameter')} got a gradient of exactly 0 on "
            "this batch, and no step changes that.",
            measured="gradient 0, here and wherever the other parameters can go",
            expected="a gradient other than 0",
            why="What comes before or after it is off, or flat, for every sample.",
            fix="Look for dead or saturated units in the layers around it.",
            source=source_of(inspection.graph, paths[0]),
            paths=paths,
        )
    if alone:
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=Severity.INFO,
            where=listing(alone),
            message=f"{count(len(alone), 'bias', 'biases')} cannot move, though the "
            "weight beside it does: what comes after cancels it.",
            measured="gradient 0, here and wherever the other parameters can go",
            expected="no bias there",
            why="A difference, or a normalization, takes a constant out again.",
            fix="None is needed; the layer can be built without a bias.",
            source=source_of(inspection.graph, alone[0]),
            paths=alone,
        )


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


RULE = Rule(
    code="FAN106",
    name="no-gradient",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN204", "FAN302", "FAN401", "FAN402", "FAN506"),
    needs_closure=True,
)
