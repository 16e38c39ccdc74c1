"""FAN901 residual-growth.

## What it finds
A residual stream that grows by more than a hundredfold from its first sum to its last,
with no normalization between.

## Why it hurts
Each branch of unit gain doubles the second moment of its stream, so L branches make it
2^L. Later branches drown in the stream, or it overflows.

## When it is fine
Pre-normalized streams that grow like √L do not come near the limit. Alone, with no
other sign, the rule gives a note and no warning.

## Example
    for block in blocks:             # 32 of them, no normalization
        x = x + block(x)

## Use instead
    # end each branch small: multiply its last weight by 1/√L, or start it at zero
    fanin.init(model, seed=0)

## Assumptions
The stream is the operand of each sum with the larger second moment.

## Source
Zhang, Dauphin & Ma, "Fixup Initialization" (2019), section 2.
"""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.rules.fan201_forward_drift import (
    HUGE,
    LARGE,
    allowance,
    band,
    drift_ends,
    drift_ratio,
)
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.trunk import DEEPER_CAUSES, mending_paths, scale_paths
from fanin.rules.words import name_of, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for each residual stretch that grows or shrinks too far."""
    if not inspection.trunk.is_residual:
        return
    for stretch in inspection.trunk.stretches():
        nodes = [n for n in stretch if n.id in inspection.sites]
        first, last = drift_ends(inspection, nodes)
        if first <= 0.0 or last <= 0.0:
            continue
        drift = log(last / first)
        if abs(drift) < max(LARGE, allowance(nodes)):
            continue
        n_sums = sum(n.op is Op.ADD for n in nodes)
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=Severity.ERROR if abs(drift) > HUGE else Severity.WARNING,
            where=f"{name_of(nodes[0])} … {name_of(nodes[-1])}",
            message=f"The residual stream goes from {number(sqrt(first))} to "
            f"{number(sqrt(last))} over {n_sums} sums.",
            measured=f"×{number(sqrt(last / first))} in root mean square",
            expected=f"less than ×{number(band(nodes)[1])}",
            why="Each branch of unit gain doubles the second moment of its stream.",
            fix="Multiply the last weight of each branch by 1/√(number of branches), "
            "or start it at zero: fanin.init(model).",
            source=nodes[0].source,
            paths=scale_paths(inspection.trunk),
            value=drift_ratio(first, last),
            interval=band(nodes),
            mends=mending_paths(inspection.graph, inspection.trunk),
        )


RULE = Rule(
    code="FAN901",
    name="residual-growth",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=DEEPER_CAUSES,
    is_witness=True,
    is_weighed=True,
)
