"""FAN202 input-forgotten.

## What it finds
A last hidden layer that is almost the same for every sample: the share of its second
moment that differs between samples is under one thousandth.

## Why it hurts
The output cannot depend on what the network has forgotten. The pooled size of the
activations can look healthy all the while, because the biases keep it up.

## When it is fine
Where gains near zero keep every branch quiet on purpose (LayerScale): a class token has
heard little of the input then, and hears it as the gains grow; that is a note. A batch
of nearly equal samples is allowed for: the share at the input is the measure.

## Example
    net = nn.Sequential(*[layer for _ in range(20)
                          for layer in (nn.Linear(128, 128), nn.ReLU())])
    # PyTorch's default has n_in·Var(w) = 1/3: each layer keeps 1/6 of the difference

## Use instead
    fanin.init(model, seed=0)

## Assumptions
A batch of two samples or more, of different content.

## Source
Schoenholz, Gilmer, Ganguli & Sohl-Dickstein, "Deep Information Propagation" (2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.graph import Op
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.trunk import DEEPER_CAUSES, mending_paths, scale_paths
from fanin.rules.words import name_of, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph import Node
    from fanin.rules.inspection import Inspection

# Plain He nets with ReLU reach 6e-3 at 200 layers; a share of 1e-3 is not healthy.
SMALL = 1e-3
# Near the rounding of float32 (1.2e-7): there is nothing left to learn from.
NONE_LEFT = 1e-6
# A gain under which a branch is a whisper: LayerScale starts at 1e-6 to 0.1.
QUIET = 1e-2


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding if the head reads almost the same for every sample."""
    trunk, awakened = inspection.trunk, inspection.awakened
    head = trunk.head
    if head is None or not trunk.hidden or awakened.batch_size < 2:
        return
    site = awakened.sites.get(head.inputs[0]) if head.inputs else None
    if site is None or not site.is_finite:
        return
    share, at_input = site.input_share, _share_at_input(inspection)
    if at_input == 0.0 or share >= SMALL * at_input:
        return
    severity = Severity.ERROR if share < NONE_LEFT * at_input else Severity.WARNING
    if has_quiet_branches(inspection):
        severity = Severity.INFO
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=severity,
        where=f"input of {name_of(head)}",
        message="The last hidden layer is almost the same for every sample.",
        measured=f"{number(share)} of its second moment differs between samples; "
        f"{number(at_input)} at the input",
        expected=f"more than {number(SMALL * at_input)}",
        why=f"Over {len(trunk.hidden)} hidden layers the difference between samples "
        "has died out: the output cannot depend on the input.",
        fix="Give each weight the scale of its activation: fanin.init(model). Or use "
        "fewer layers, normalization, or residual branches.",
        source=head.source,
        paths=scale_paths(trunk),
        value=share,
        interval=(SMALL * at_input, 1.0),
        mends=mending_paths(inspection.graph, trunk),
    )


def has_quiet_branches(inspection: Inspection) -> bool:
    """Say whether most sums on the trunk add a branch times a gain near zero."""
    graph = inspection.graph
    sums = [n for n in inspection.trunk.nodes if n.op is Op.ADD and len(n.inputs) > 1]
    branches = [[graph.node(i) for i in node.inputs] for node in sums]
    n_quiet = sum(any(_is_quiet(inspection, n) for n in nodes) for nodes in branches)
    return 2 * n_quiet > len(sums)


def _is_quiet(inspection: Inspection, node: Node) -> bool:
    """Say whether a node multiplies by a gain near zero, dropout after it or not."""
    while node.op in {Op.NOISE, Op.REARRANGE} and node.inputs:
        node = inspection.graph.node(node.inputs[0])
    value = inspection.values.get(node.scale or "")
    if node.op is not Op.MULTIPLY or value is None:
        return False
    return bool(np.max(np.abs(value), initial=0.0) < QUIET)


def _share_at_input(inspection: Inspection) -> float:
    """Give the input share where the signal enters: the batch, or its embedding."""
    sites = inspection.awakened.sites
    for node in inspection.trunk.nodes:
        site = sites.get(node.id)
        is_numbers = node.op is not Op.INPUT or not _is_index(inspection, node.id)
        if site is not None and is_numbers and site.second_moment > 0.0:
            return site.input_share
    return 0.0


def _is_index(inspection: Inspection, node_id: int) -> bool:
    """Say whether an input is looked up in a table and so is no signal itself."""
    readers = inspection.graph.consumers(node_id)
    return any(r.details.get("kind") == "lookup" for r in readers)


RULE = Rule(
    code="FAN202",
    name="input-forgotten",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=(*DEEPER_CAUSES, "FAN402", "FAN701"),
    is_witness=True,
    is_weighed=True,
)
