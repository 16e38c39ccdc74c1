"""FAN504 target-offset.

## What it finds
Regression targets whose mean is far from 0 compared with their spread, while the output
starts around 0.

## Why it hurts
The first steps are spent on moving the output to the mean, with gradients that dwarf
those that tell the samples apart.

## When it is fine
It costs steps, no more; with a large learning rate it can diverge.

## Example
    target = price_in_euros          # mean 250 000, std 50 000

## Use instead
    target = (price - price.mean()) / price.std()

## Assumptions
Mean squared error.

## Source
LeCun, Bottou, Orr & Müller, "Efficient BackProp" (1998), section 4.3, for outputs.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.rules.first_loss import first_loss
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection

LEAST_RATIO = 10.0


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a note if the targets' mean dwarfs their spread."""
    loss = first_loss(inspection)
    if loss is None or loss.kind != "mse" or loss.ignorant <= 0.0:
        return
    limit = sqrt(LEAST_RATIO * loss.ignorant)
    if abs(loss.target_mean) > limit and loss.value > LEAST_RATIO * loss.ignorant:
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where="the targets",
            message=f"The targets lie around {number(loss.target_mean)}, far from 0 "
            "for their spread.",
            measured=f"mean {number(loss.target_mean)}, variance "
            f"{number(loss.ignorant)}; first loss {number(loss.value)}",
            expected=f"a first loss of about {number(loss.ignorant)}",
            why="The first steps only move the output to the mean of the targets.",
            fix="Standardize the targets, or set the output bias to their mean.",
            value=loss.target_mean,
            interval=(-limit, limit),
            mends=(),
        )


RULE = Rule(
    code="FAN504",
    name="target-offset",
    severity=Severity.INFO,
    find=find,
    page=__doc__,
)
