"""FAN204 overflow.

## What it finds
NaN or infinity in the activations or the loss, though every parameter is finite.

## Why it hurts
The first gradient is NaN, and after one step every weight is.

## When it is fine
Never. (Infinities put into attention scores by a mask are passed over if the softmax
after them is finite.)

## Example
    for layer in linears:               # thirty layers of 128 units: 64 per layer
        nn.init.normal_(layer.weight, std=1.0)

## Use instead
    fanin.init(model, seed=0)

## Assumptions
None.

## Source
Exact.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.trunk import mending_paths, scale_paths
from fanin.rules.words import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection

BEARING = {Op.LINEAR, Op.NORMALIZE, Op.SOFTMAX, Op.CONTRACT}


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for the first place that is not finite."""
    trunk = {node.id for node in inspection.trunk.nodes}
    bad = [
        node
        for node in inspection.graph.nodes
        if node.id in inspection.sites
        and not inspection.sites[node.id].is_finite
        and (node.id in trunk or node.op in BEARING - {Op.CONTRACT})
    ]
    loss = inspection.measured.loss
    is_loss_bad = loss is not None and not isfinite(loss)
    if not bad and not is_loss_bad:
        return
    where = name_of(bad[0]) if bad else "the loss"
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=RULE.severity,
        where=where,
        message=f"NaN or infinity first appears in {where}, with finite parameters.",
        measured=f"{len(bad)} places that are not finite; loss {loss}",
        expected="finite numbers everywhere",
        why="One step later every weight is NaN.",
        fix="Give each weight the scale of its activation: fanin.init(model).",
        source=bad[0].source if bad else None,
        paths=scale_paths(inspection.trunk),
        value=float(len(bad)),
        interval=(0.0, 0.0),
        mends=mending_paths(inspection.graph, inspection.trunk),
    )


RULE = Rule(
    code="FAN204",
    name="overflow",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN801", "FAN802"),
)
