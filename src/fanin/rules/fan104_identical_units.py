"""FAN104 identical-units.

## What it finds
Hidden units that compute the same function of the input at the start (equal incoming
weights and bias) but are read with different outgoing weights, so that they part later.

## Why it hurts
At the start n equal units act as one: the layer has rank one, and all of its outgoing
weights add up in one direction, which makes the output hot.

## When it is fine
Fixed averaging or interpolation kernels (freeze them, and this rule is silent). Zero
layers are not meant: an all-zero layer is judged by whether it can move (FAN101).

## Example
    nn.init.ones_(model[0].weight)     # the hidden layer
    nn.init.normal_(model[2].weight)   # the next one is random

## Use instead
    fanin.init(model, seed=0)

## Assumptions
More than half of the units are equal to another one, in exact arithmetic.

## Source
Goodfellow, Bengio & Courville, *Deep Learning* (2016), section 8.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.equal_units import (
    classes,
    could_be_chance,
    n_alike,
    repeated,
    rows,
    trainable_paths,
)
from fanin.rules.fan103_twin_units import incoming_weights
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import count, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection

# With fewer equal units than this share the layer is narrower, but no single unit.
LEAST_SHARE = 0.5


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each group whose units begin equal and part later."""
    for group in inspection.unit_groups:
        paths = trainable_paths(group, inspection.trainable)
        own = (*group.incoming, *group.shared)
        weights = [s for s in group.incoming if inspection.values[s.path].ndim > 1]
        if not any(part.path in paths for part in weights):
            continue
        if n_alike(own, inspection.values, group.size) <= LEAST_SHARE * group.size:
            continue
        table = rows(own, inspection.values, group.size)
        kernel = rows(weights, inspection.values, group.size)
        if not np.any(kernel) or could_be_chance(table, "float32"):
            continue
        equal = repeated(classes(table))
        n_equal = sum(len(members) for members in equal)
        if n_equal <= LEAST_SHARE * group.size or not equal:
            continue
        n_different = group.size - n_equal + len(equal)
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=group.name,
            message=f"{count(group.size, 'unit')} compute only "
            f"{count(n_different, 'different function')} at the start.",
            measured=f"{n_equal} of {group.size} units share their incoming weights "
            "and bias with another",
            expected=f"{group.size} different units",
            why="Equal units act as one until their outgoing weights part them.",
            fix="Draw the incoming weights from a random law: fanin.init(model).",
            source=source_of(inspection.graph, paths[0]),
            paths=paths,
            value=float(n_different),
            interval=(float(group.size), float(group.size)),
            mends=incoming_weights(group, inspection),
        )


RULE = Rule(
    code="FAN104",
    name="identical-units",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN103", "FAN801", "FAN807", "FAN810"),
)
