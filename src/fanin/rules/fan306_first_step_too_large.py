"""FAN306 first-step-too-large.

## What it finds
A first step that is larger than the weight it changes; or, with Adam and its kin, a
first step of more than a tenth of the weights, all layers taken together.

## Why it hurts
The scale that the initializer chose is gone after one step. Adam's first step is ±lr
in every entry, all in line with the gradient: in a layer of n inputs it moves the
output by r·√(2n/π) of its own size, r being the step over the weight. At r = 0.1 and
157 inputs or more, the first step replaces what the layer computes.

## When it is fine
Under a warm-up: the first steps are then smaller than the rate that was given. Zero
weights are left out: any step is large to them. So are tables that rows are looked up
in: some start near 0 before a normalization on purpose, and no sum runs over rows.

## Example
    torch.optim.Adam(model.parameters(), lr=0.01)   # on weights of std 0.02

## Use instead
    torch.optim.Adam(model.parameters(), lr=0.0005)

## Assumptions
Needs `optimizer=` and its learning rate; the step is the optimizer's own.

## Source
Bernstein et al., "On the distance between two neural networks and the stability of
learning" (2020), equation 1: a layer's relative change bounds that of its function.
"""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.trunk import is_lookup
from fanin.rules.words import number, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection
    from fanin.rules.updates import Update

REPLACED = 1.0
# r·√(2n/π) is 1 at n = 157: integrated in the test of this rule.
ALL_IN_LINE = 0.1


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for the first step that is too large for its weights."""
    facts = inspection.optimizer
    tables = {
        n.weight.path for n in inspection.graph.linears if n.weight and is_lookup(n)
    }
    weights = [
        u
        for u in inspection.updates
        if u.n_axes > 1 and u.size > 0.0 and u.path not in tables
    ]
    if facts is None or not weights:
        return
    replaced = [u for u in weights if u.ratio > REPLACED]
    moved = hypot(*(u.moved for u in weights))
    size = hypot(*(u.size for u in weights))
    if replaced:
        worst = max(replaced, key=lambda update: update.ratio)
        yield _finding(inspection, replaced, worst.ratio, worst.path, REPLACED)
    elif not facts.is_proportional and moved > ALL_IN_LINE * size:
        yield _finding(inspection, weights, moved / size, "all weights", ALL_IN_LINE)


def _finding(
    inspection: Inspection,
    weights: list[Update],
    ratio: float,
    where: str,
    most: float,
) -> Finding:
    facts = inspection.optimizer
    rate = None if facts is None else facts.rate_of(weights[0].path)
    told = "" if rate is None else f" at a learning rate of {number(rate)}"
    paths = tuple(update.path for update in weights)
    return Finding(
        code=RULE.code,
        name=RULE.name,
        severity=Severity.WARNING,
        where=where,
        message=f"The first step is ×{number(ratio)} of the weights{told}.",
        measured=f"norm of the step over norm of the weights: {number(ratio)}",
        expected=f"less than {number(most)}",
        why="One step undoes the scale that the weights were drawn at.",
        fix="Lower the learning rate, or warm it up.",
        source=source_of(inspection.graph, paths[0]),
        paths=paths,
        value=ratio,
        interval=(0.0, most),
        mends=(),
    )


RULE = Rule(
    code="FAN306",
    name="first-step-too-large",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN203", "FAN204", "FAN501", "FAN802"),
)
