"""FAN001 unreached-parameter.

## What it finds
Trainable parameters that the objective does not use: no operation that led to the loss
read them on this batch.

## Why it hurts
They get no gradient, so they keep their initial values for ever. Most often a layer
was made in the constructor and forgotten in `forward`, or an output was left out of the
loss.

## When it is fine
Where the model chooses its branches by the data (experts, early exits): another batch
may reach them. Layers kept for later use.

## Example
    self.hidden = nn.Linear(8, 8)   # made here
    def forward(self, x):
        return self.head(x)         # not used there

## Use instead
    def forward(self, x):
        return self.head(torch.relu(self.hidden(x)))

## Assumptions
One batch was looked at.

## Source
Exact: the gradient does not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import count, listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for all parameters that the objective does not use."""
    paths = inspection.awakening.unreached
    if paths:
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(paths),
            message=f"{count(len(paths), 'parameter')} had no part in the objective.",
            measured=f"no gradient for {len(paths)} of {len(inspection.trainable)}",
            expected="a gradient for every trainable parameter",
            why="What the objective does not use keeps its initial values for ever.",
            fix="Use the layer in the forward pass, remove it, or freeze it.",
            paths=paths,
        )


RULE = Rule(
    code="FAN001",
    name="unreached-parameter",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    needs_closure=True,
)
