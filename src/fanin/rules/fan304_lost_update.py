"""FAN304 lost-update.

## What it finds
Parameters that the optimizer steps and that do not move: for more than 95 % of their
entries the step is under half a unit in the last place and is rounded away.

## Why it hurts
The gradient is there, the loss can fall, and the numbers stay what they were. Weights
kept in bfloat16 take no step under 0.2 to 0.4 % of their size.

## When it is fine
With a copy of the weights in float32 that the optimizer steps (autocast has one: its
parameters are float32), with stochastic rounding, or with Kahan summation. A warm-up
starts smaller: give the rate that it ends at.

## Example
    model = model.to(torch.bfloat16)
    torch.optim.SGD(model.parameters(), lr=1e-3)      # a step of 10⁻⁶ on 0.02

## Use instead
    with torch.autocast("cpu", torch.bfloat16): ...   # float32 weights

## Assumptions
Needs `optimizer=` and its learning rate. The step is the optimizer's own, taken on a
copy with legitimate zeros filled, and must be lost again one step later, when gates
near 0 have opened. Biases are not judged. Gains alone give a warning, weights an error.

## Source
Round to nearest, IEEE 754 (2019), section 4.3.1: x + d = x where |d| is under half a
unit in the last place of x.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.trunk import mending_paths
from fanin.rules.words import count, listing, number, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection
    from fanin.rules.updates import Update

# The entries that still move, those near 0, hold under √0.05 = 0.22 of Adam's step.
MOST_LOST = 0.95
WIDE = frozenset({"float32", "float64"})


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for all parameters whose first updates are rounded away."""
    lost = [u for u in inspection.updates if u.share_lost > MOST_LOST]
    if not lost:
        return
    still = {u.path for u in inspection.later_updates if u.share_lost > MOST_LOST}
    lost = [update for update in lost if update.path in still]
    if lost:
        yield _finding(inspection, lost)


def _finding(inspection: Inspection, lost: list[Update]) -> Finding:
    worst = max(lost, key=lambda update: (update.n_axes > 1, update.size))
    paths = tuple(update.path for update in lost)
    is_wide = all(update.dtype in WIDE for update in lost)
    is_weight = any(update.n_axes > 1 for update in lost)
    return Finding(
        code=RULE.code,
        name=RULE.name,
        severity=Severity.ERROR if is_weight else Severity.WARNING,
        where=listing(paths),
        message=f"The first update of {count(len(paths), 'parameter')} is rounded "
        f"away in {worst.dtype}.",
        measured=f"{worst.share_lost:.0%} of the entries of {worst.path} stay what "
        f"they are: the step is ×{number(worst.ratio)} of the weight",
        expected=f"a step of more than half a unit in the last place of {worst.dtype}",
        why="What is rounded away at every step is never learned.",
        fix="Give each weight the scale of its activation: fanin.init(model)."
        if is_wide
        else "Keep the weights in float32 (autocast), or raise the learning rate.",
        source=source_of(inspection.graph, worst.path),
        paths=paths,
        value=worst.share_lost,
        interval=(0.0, MOST_LOST),
        mends=mending_paths(inspection.graph, inspection.trunk) if is_wide else (),
    )


RULE = Rule(
    code="FAN304",
    name="lost-update",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN203", "FAN204", "FAN401", "FAN402", "FAN802"),
    is_witness=True,
)
