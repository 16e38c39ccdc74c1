"""FAN302 gradient-underflow.

## What it finds
Parameters whose gradient is zero not because a factor is zero but because the product
is too small for its floating-point format.

## Why it hurts
In exact arithmetic they would move; in the arithmetic that the model is trained with
they do not, until the layers around them have grown.

## When it is fine
Never.

## Example
    for layer in linears:               # thirty tanh layers
        nn.init.normal_(layer.weight, std=0.01)

## Use instead
    fanin.init(model, seed=0)

## Assumptions
Found by bringing small weights up to ordinary size, zeros kept zero: the gradients
return.

## Source
Exact: the closure of `fanin.rules.awakening`, before and after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Rule, Severity
from fanin.rules.still import still
from fanin.rules.trunk import mending_paths
from fanin.rules.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection
    from fanin.rules.rule import Finding


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for all gradients that round to zero."""
    paths = inspection.rounded_away
    if paths:
        yield still(
            inspection,
            RULE,
            paths,
            message=f"The gradient of {count(len(paths), 'parameter')} is so small "
            "that it rounds to 0.",
            measured="gradient exactly 0; with weights of ordinary size it is not",
            expected="a gradient that the number format can hold",
            why="What rounds to zero does not move, under any optimizer.",
            fix="Give each weight the scale of its activation: fanin.init(model).",
            mends=mending_paths(inspection.graph, inspection.trunk),
        )


RULE = Rule(
    code="FAN302",
    name="gradient-underflow",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN203", "FAN204", "FAN401", "FAN402", "FAN701"),
    needs_closure=True,
)
