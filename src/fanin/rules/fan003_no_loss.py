"""FAN003 no-loss.

## What it finds
A missing loss, for which a fixed random projection of the output stood in.

## Why it hurts
It does not: gradients of a projection show which parameters can move and how gradients
grow. But the first loss was not judged, nor the output bias.

## When it is fine
Always, if that is what you want to know.

## Example
    fanin.check(model, batch)

## Use instead
    fanin.check(model, batch, loss="cross_entropy", target=labels)

## Assumptions
None.

## Source
Exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a note where the objective is a stand-in."""
    if inspection.measured.loss is None:
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where="the loss",
            message="No loss was given: a random projection of the output stood in.",
            measured="gradients of a stand-in",
            expected="a loss and a target",
            why="The first loss and the output bias were not judged.",
            fix="Pass loss= and target=, or objective=.",
            mends=(),
        )


RULE = Rule(
    code="FAN003",
    name="no-loss",
    severity=Severity.INFO,
    find=find,
    page=__doc__,
)
