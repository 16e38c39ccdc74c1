"""FAN502 first-loss-low.

## What it finds
A first loss below the entropy of the targets: better than any predictor that knows
nothing of the inputs.

## Why it hurts
A model with random weights cannot know anything. Either it is pretrained, or the
target leaks into the input, or the loss is not what it seems.

## When it is fine
Pretrained models.

## Example
    model(torch.cat([x, one_hot_target], dim=1))

## Use instead
    model(x)

## Assumptions
The margin is four standard errors over the batch's samples.

## Source
Gibbs' inequality: without information, the mean of −ln q is at least the entropy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.first_loss import first_loss
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection

STANDARD_ERRORS = 4.0
# A tenth of a nat: less is the luck of a random function on few samples.
LEAST_NATS = 0.1


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a note if the first loss beats the prior."""
    loss = first_loss(inspection)
    if loss is None or loss.kind == "mse":
        return
    if loss.value < loss.entropy - max(LEAST_NATS, STANDARD_ERRORS * loss.error):
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where="the first loss",
            message=f"The first loss is {number(loss.value)}, less than ignorance "
            f"allows ({number(loss.entropy)}).",
            measured=f"{number(loss.value)} ± {number(loss.error)}",
            expected=f"at least {number(loss.entropy)}, the targets' entropy",
            why="A model that has not been trained cannot know the targets.",
            fix="None if it is pretrained; otherwise look for the target in the input.",
            value=loss.value,
            interval=(loss.entropy, float("inf")),
            mends=(),
        )


RULE = Rule(
    code="FAN502",
    name="first-loss-low",
    severity=Severity.INFO,
    find=find,
    page=__doc__,
)
