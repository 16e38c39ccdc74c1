"""FAN102 late-start.

## What it finds
Parameters that do not move at the first optimizer step but do at a later one, and at
which; and parameters whose gradient cancels on this batch only.

## Why it hurts
It does not: this is how zero-initialized heads, LoRA, ReZero, Fixup and zero gains of
residual branches work. Each zero layer in front delays a parameter by one step.

## When it is fine
Always. Listed so that a parameter which looks stuck at step one is not mistaken for it.

## Example
    nn.init.zeros_(model.head.weight)   # everything before the head waits one step

## Use instead
Nothing: leave it.

## Assumptions
The steps are counted for an optimizer that moves every parameter with a gradient.

## Source
Zhang, Dauphin & Ma, "Fixup Initialization" (2019); Hu et al., "LoRA" (2021).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import count, listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a note on what joins late, and one on what this batch balances."""
    rounded = inspection.rounded_away  # FAN302 speaks of these
    late = {p: s for p, s in inspection.awakening.late.items() if p not in rounded}
    if late:
        paths, last = tuple(late), max(late.values())
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(paths),
            message=f"{count(len(paths), 'parameter')} "
            f"{'waits' if len(paths) == 1 else 'wait'} at the first step; all move by "
            f"step {last}.",
            measured=f"first moves at step {last} at the latest",
            expected="step 1, or later behind a layer that is zero on purpose",
            why="A zero layer passes no gradient until it has moved itself.",
            fix="None is needed: this is how zero-initialized branches begin.",
            paths=paths,
            value=float(last),
            mends=(),
        )
    paths = tuple(p for p in inspection.balanced if p not in rounded)
    if paths:
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(paths),
            message=f"The gradient of {count(len(paths), 'parameter')} cancels on this "
            "batch; another batch frees it.",
            measured="gradient 0 under this loss, not 0 under another function of the "
            "output",
            expected="a gradient other than 0",
            why="The batch is balanced so that its samples pull with equal force.",
            fix="None is needed when batches are drawn at random.",
            paths=paths,
            value=0.0,
            mends=(),
        )


RULE = Rule(
    code="FAN102",
    name="late-start",
    severity=Severity.INFO,
    find=find,
    page=__doc__,
    needs_closure=True,
)
