"""FAN002 no-memory.

## What it finds
Parameters without numbers: on the meta device, or lazy ones whose shape is not known.

## Why it hurts
There is nothing to check and nothing to train; writing to a meta tensor does nothing
and raises nothing.

## When it is fine
In a build that is deferred on purpose. Give the model memory before it is checked.

## Example
    with torch.device("meta"):
        model = Net()

## Use instead
    fanin.init(model, seed=0)  # memory and numbers, buffers too

## Assumptions
None.

## Source
Exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Evidence, Finding, Rule, Severity
from fanin.rules.words import count, listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for all parameters without memory."""
    paths = tuple(p.path for p in inspection.parameters if p.storage != "ready")
    if paths:
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(paths),
            message=f"{count(len(paths), 'parameter')} has no memory yet."
            if len(paths) == 1
            else f"{len(paths)} parameters have no memory yet.",
            measured=f"{len(paths)} of {len(inspection.parameters)} without numbers",
            expected="numbers in every parameter",
            why="There is nothing to check and nothing to train.",
            fix="Run a lazy model once on a batch; call fanin.init on a meta model, "
            "which gives it memory.",
            evidence=Evidence.MEASURED,
            value=float(len(paths)),
            interval=(0.0, 0.0),
            paths=paths,
            mends=(),
        )


RULE = Rule(
    code="FAN002",
    name="no-memory",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    needs_run=False,
)
