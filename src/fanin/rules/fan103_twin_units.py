"""FAN103 twin-units.

## What it finds
Hidden units of one layer that are equal in everything: incoming weights, bias,
normalization gain and outgoing weights; and that are still equal after some steps.

## Why it hurts
Swapping two hidden units never changes the loss. Where the two are equal, that makes
their gradients equal, so they stay equal at every step: a layer of n units with k
different ones trains as a layer of k units.

## When it is fine
Hardly ever. Dropout on the units tells them apart, slowly: then this is a warning.
Units that differ in anything, if only in an outgoing weight, are not reported here.

## Example
    for p in model.parameters():
        torch.nn.init.constant_(p, 0.5)

## Use instead
    fanin.init(model, seed=0)

## Assumptions
The optimizer treats all entries of a tensor alike (SGD, momentum, Adam, weight decay).
In floating point twins are equal up to rounding, which can part them very late.

## Source
Goodfellow, Bengio & Courville, *Deep Learning* (2016), section 8.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.rules.equal_units import (
    SAME_AFTER_STEPS,
    classes,
    could_be_chance,
    n_alike,
    repeated,
    rows,
    spread,
    trainable_paths,
)
from fanin.rules.rule import Evidence, Finding, Rule, Severity
from fanin.rules.words import count, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from fanin.graph.units import UnitGroup
    from fanin.rules.inspection import Inspection


@dataclass(frozen=True, kw_only=True)
class Twins:
    """The equal units of one group.

    n_different: how many units are left when equal ones are counted once.
    n_twins: units that have a twin. stay: they are equal after virtual steps too.
    """

    group: UnitGroup
    n_different: int
    n_twins: int
    stay: bool


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each group of units with twins."""
    for group in inspection.unit_groups:
        twins = twins_of(inspection, group)
        if twins is None:
            continue
        if twins.stay:
            yield _forever(inspection, twins)
        elif group.is_broken_by_noise:
            yield _until_noise(inspection, twins)


def twins_of(inspection: Inspection, group: UnitGroup) -> Twins | None:
    """Find units equal in all their numbers, if any of those numbers can move."""
    paths = trainable_paths(group, inspection.trainable)
    if not any(path in inspection.awakening.rounds for path in paths):
        return None
    if not n_alike(group.slices, inspection.values, group.size):
        return None
    before = rows(group.slices, inspection.values, group.size)
    if could_be_chance(before, _dtype(inspection, paths[0])):
        return None
    labels = classes(before)
    groups = repeated(labels)
    if not groups:
        return None
    after = rows(group.slices, inspection.stepped, group.size)
    # Steps must have moved them, or nothing is known of what steps do.
    moved = bool((after != before).any())
    return Twins(
        group=group,
        n_different=len(set(labels.tolist())),
        n_twins=sum(len(members) for members in groups),
        stay=moved and all(_is_together(after, members) for members in groups),
    )


def incoming_weights(group: UnitGroup, inspection: Inspection) -> tuple[str, ...]:
    """Give the trained weights whose draw tells a group's units apart."""
    known = set(inspection.trainable)
    paths = dict.fromkeys(part.path for part in group.incoming)
    return tuple(p for p in paths if p in known and inspection.values[p].ndim > 1)


def _is_together(table: np.ndarray, members: np.ndarray) -> bool:
    return spread(table, members) < SAME_AFTER_STEPS


def _dtype(inspection: Inspection, path: str) -> str:
    return next(p.dtype for p in inspection.parameters if p.path == path)


def _forever(inspection: Inspection, twins: Twins) -> Finding:
    group = twins.group
    paths = trainable_paths(group, inspection.trainable)
    return Finding(
        code=RULE.code,
        name=RULE.name,
        severity=Severity.ERROR,
        where=group.name,
        message=f"{count(group.size, 'unit')}, but only {twins.n_different} different, "
        "and it stays so at every step.",
        measured=f"{twins.n_twins} of {group.size} units have a twin, equal in "
        "incoming weights, bias and outgoing weights, before and after the first steps",
        expected=f"{group.size} different units",
        why="Twins get equal gradients, so they stay twins: the layer learns no more "
        f"than a layer of {count(twins.n_different, 'unit')} could.",
        fix="Draw the incoming weights from a random law: fanin.init(model).",
        source=source_of(inspection.graph, paths[0]),
        evidence=Evidence.PROVED if group.is_closed else Evidence.MEASURED,
        paths=paths,
        value=float(twins.n_different),
        interval=(float(group.size), float(group.size)),
        mends=incoming_weights(group, inspection),
    )


def _until_noise(inspection: Inspection, twins: Twins) -> Finding:
    group = twins.group
    paths = trainable_paths(group, inspection.trainable)
    return Finding(
        code=RULE.code,
        name=RULE.name,
        severity=Severity.WARNING,
        where=group.name,
        message=f"{count(group.size, 'unit')}, but only {twins.n_different} different "
        "at the start; only dropout tells them apart.",
        measured=f"{twins.n_twins} of {group.size} units have a twin; after the first "
        "steps they differ, because dropout hit them differently",
        expected=f"{group.size} different units from the start",
        why="Units that noise has to part begin as one and learn slowly.",
        fix="Draw the incoming weights from a random law: fanin.init(model).",
        source=source_of(inspection.graph, paths[0]),
        paths=paths,
        value=float(twins.n_different),
        interval=(float(group.size), float(group.size)),
        mends=incoming_weights(group, inspection),
    )


RULE = Rule(
    code="FAN103",
    name="twin-units",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN801", "FAN802", "FAN807", "FAN810"),
    needs_closure=True,
)
