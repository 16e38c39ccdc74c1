"""FAN004 synthetic-batch.

## What it finds
A check without a batch: standard normal numbers, or random tokens, of a shape that the
model accepts stood in for data.

## Why it hurts
It does not. But what depends on data was judged on numbers that have mean 0, variance 1
and nothing in common with one another: scales of the first layer, dead units, the share
of the input in what comes out.

## When it is fine
For whatever is true on any batch: layers that can never move, twins, wrong fans. Inputs
that are standardized are like these numbers in scale.

## Example
    fanin.check(model)

## Use instead
    fanin.check(model, batch, loss="cross_entropy", target=labels)

## Assumptions
None.

## Source
Exact. That the input's variance decides what is measured: Mishkin and Matas (2016), All
you need is a good init, section 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a note where the batch was made up."""
    if inspection.made_up:
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where="the batch",
            message=f"No batch was given: checked on {inspection.made_up}.",
            measured="made-up inputs",
            expected="a batch of the data that it will train on",
            why="Scales and dead units depend on what comes in.",
            fix="Pass a batch: fanin.check(model, batch), or --input batch.npz.",
            mends=(),
        )


RULE = Rule(
    code="FAN004",
    name="synthetic-batch",
    severity=Severity.INFO,
    find=find,
    page=__doc__,
)
