"""FAN105 constant-weight.

## What it finds
Weights of linear layers whose entries are all one and the same number, not zero.

## Why it hurts
Where it makes the units of a hidden layer equal, FAN103 or FAN104 says so. What is left
here is harmless at first sight: an output layer, say. It is still rarely meant.

## When it is fine
Linear and logistic regression; averaging layers.

## Example
    nn.init.constant_(model.head.weight, 0.1)

## Use instead
    nn.init.zeros_(model.head.weight)   # an even start, or draw it at random

## Assumptions
None.

## Source
Exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.sampled import is_constant, is_zero
from fanin.rules.words import number, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a note for each weight that is one number throughout."""
    weights = dict.fromkeys(n.weight.path for n in inspection.graph.linears if n.weight)
    for path in weights:
        value = inspection.values.get(path)
        if value is None or path not in inspection.trainable:
            continue
        if min(value.shape, default=0) < 2 or not is_constant(value):
            continue
        if is_zero(value):
            continue
        constant = float(value.flat[0])
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=path,
            message=f"All {value.size} entries are {number(constant)}.",
            measured=f"one value, {number(constant)}",
            expected="different values, or zeros in an output layer",
            why="A constant layer adds its inputs up and keeps nothing else of them.",
            fix="Draw it from a random law: fanin.init(model).",
            source=source_of(inspection.graph, path),
            paths=(path,),
            value=1.0,
            interval=(2.0, float(value.size)),
        )


RULE = Rule(
    code="FAN105",
    name="constant-weight",
    severity=Severity.INFO,
    find=find,
    page=__doc__,
    hidden_by=("FAN103", "FAN104"),
)
