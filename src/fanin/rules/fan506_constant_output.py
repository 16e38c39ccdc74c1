"""FAN506 constant-output.

## What it finds
An output that is exactly the same for every sample, though the last hidden layer is not
and the output's weights are not zero.

## Why it hurts
What makes the output, a ReLU or a sigmoid after the last weight, is off or flat for
all samples: it passes no gradient, and the model says the same whatever it is asked.

## When it is fine
A zero head starts so on purpose; it has its own note (FAN102) and is not reported.

## Example
    nn.Sequential(..., nn.Linear(64, 1), nn.ReLU())   # counts: all 0 at the start

## Use instead
    nn.Sequential(..., nn.Linear(64, 1), nn.Softplus())

## Assumptions
A batch of two samples or more, of different content.

## Source
Exact: of the batch that was run, the variance of each output is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.trunk import scale_paths
from fanin.rules.words import name_of, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph import Node
    from fanin.rules.inspection import Inspection

# What counts as a hidden layer that still tells samples apart, as for FAN202.
LEAST_SHARE = 1e-3


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding if the output does not depend on what the head reads."""
    head = inspection.trunk.head
    if head is None or not _is_constant(inspection) or _is_zero(inspection, head):
        return
    site = inspection.sites.get(head.inputs[0]) if head.inputs else None
    if site is None or not site.is_finite or site.input_share <= LEAST_SHARE:
        return
    last = inspection.graph.node(inspection.graph.outputs[0])
    outputs = inspection.measured.outputs
    at = f" ({name_of(last)})" if last is not head else ""
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=RULE.severity,
        where=name_of(head),
        message=f"The output{at} is the same for every sample, and what it is made of "
        "is not.",
        measured=f"variance over the batch 0 in all of its {outputs[0].size} entries; "
        f"{number(site.input_share)} of what {name_of(head)} reads differs between "
        "samples",
        expected="an output that differs between samples",
        why="What follows the last weight is off, or flat, for every sample, and "
        "passes no gradient.",
        fix="Use softplus in place of ReLU, or an output bias that starts where the "
        "function has a slope.",
        source=head.source,
        paths=(*scale_paths(inspection.trunk), *((head.bias,) if head.bias else ())),
        value=0.0,
        interval=(0.0, float("inf")),
        mends=tuple(p for p in (head.weight.path, head.bias) if p)
        if head.weight
        else (),
    )


def _is_constant(inspection: Inspection) -> bool:
    """Say whether the first output has samples along its first axis, all equal."""
    outputs, n_samples = inspection.measured.outputs, inspection.measured.batch_size
    if outputs.ndim < 1 or len(outputs) != n_samples or n_samples < 2:
        return False
    if not outputs.size or not np.all(np.isfinite(outputs)):
        return False
    return bool(np.all(outputs == outputs[:1]))


def _is_zero(inspection: Inspection, head: Node) -> bool:
    value = None if head.weight is None else inspection.values.get(head.weight.path)
    return value is None or not np.any(value)


RULE = Rule(
    code="FAN506",
    name="constant-output",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN103", "FAN104", "FAN203", "FAN204", "FAN601", "FAN802"),
)
