"""FAN106 no-gradient.

## What it finds
Parameters whose gradient is exactly zero on this batch and stays so, though no tensor
of zeros explains it and no underflow does: units are dead or flat on the whole batch.

## Why it hurts
On this batch nothing can move them. Another batch could, if it reaches the other side
of a ReLU.

## When it is fine
Experts and branches that this batch did not choose; try a larger batch.

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
    """Yield one finding for what is still on this batch without a zero to blame."""
    if not inspection.stuck:
        return
    paths = inspection.lock.unexplained
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


RULE = Rule(
    code="FAN106",
    name="no-gradient",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN204", "FAN302", "FAN401", "FAN402"),
)
