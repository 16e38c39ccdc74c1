"""FAN203 unscaled-input.

## What it finds
Inputs that reach the first weight with a root mean square over 10: pixels from 0 to
255, dates, prices.

## Why it hurts
Every initializer assumes inputs of about unit size. Larger ones multiply all that
follows: tanh and sigmoid saturate, the first loss is hot, the first steps are too big.
The initializer is not at fault.

## When it is fine
Where a normalization comes first; the rule looks at what enters the first weight.

## Example
    model(images)               # 0 … 255

## Use instead
    model(images / 255.0)       # or standardize each feature

## Assumptions
The example batch is like the training data.

## Source
LeCun, Bottou, Orr & Müller, "Efficient BackProp" (1998), section 4.3.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.trunk import is_lookup
from fanin.rules.words import name_of, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph import Graph, Node
    from fanin.rules.inspection import Inspection

LARGE = 10.0
# An 8-bit image: nothing under 0, nothing over 255, and not all small.
PIXEL_MAXIMUM = 255.0


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for the first weight that reads unscaled numbers."""
    for node in inspection.graph.linears:
        source = _raw_input(inspection.graph, node)
        site = None if source is None else inspection.sites.get(source.id)
        if site is None or not site.is_finite:
            continue
        size = sqrt(site.second_moment)
        if size <= LARGE:
            continue
        is_pixels = LARGE < site.maximum <= PIXEL_MAXIMUM and min(site.sample) >= 0
        guess = " They look like pixels from 0 to 255." if is_pixels else ""
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=f"input of {name_of(node)}",
            message=f"The inputs are large: root mean square {number(size)}.{guess}",
            measured=f"root mean square {number(size)}, mean {number(site.mean)}, "
            f"largest {number(site.maximum)}",
            expected="about 1",
            why="Every initializer assumes inputs of unit size; the weights are not "
            "at fault.",
            fix="Divide pixels by 255, or subtract the mean and divide by the std.",
            source=node.source,
            value=size,
            interval=(0.0, LARGE),
            mends=(),
        )
        return


def _raw_input(graph: Graph, node: Node) -> Node | None:
    """Give what a weight reads, if it is a tensor of the batch, moved or not."""
    if is_lookup(node):
        return None
    current = node
    while current.inputs:
        current = graph.node(current.inputs[0])
        if current.op is Op.INPUT:
            return current
        if current.op not in {Op.REARRANGE, Op.ELEMENTWISE}:
            return None
        if current.op is Op.ELEMENTWISE:
            return current if _comes_from_input(graph, current) else None
    return None


def _comes_from_input(graph: Graph, node: Node) -> bool:
    """Say whether no weight stands before this node."""
    current = node
    while current.inputs:
        current = graph.node(current.inputs[0])
        if current.op not in {Op.REARRANGE, Op.ELEMENTWISE, Op.INPUT}:
            return False
    return current.op is Op.INPUT


RULE = Rule(
    code="FAN203",
    name="unscaled-input",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
)
