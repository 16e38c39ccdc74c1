"""FAN505 softmax-twice.

## What it finds
A model that ends in a softmax (its outputs are positive and sum to 1) with a loss that
takes logits and applies softmax again.

## Why it hurts
The second softmax sees numbers between 0 and 1 only: the loss can fall no lower than
ln(1 + (K − 1)/e), and gradients are small.

## When it is fine
Never.

## Example
    nn.Sequential(..., nn.Softmax(dim=1)), loss = "cross_entropy"

## Use instead
    nn.Sequential(...)                # logits

## Assumptions
The loss was named, so that it is known to take logits.

## Source
Exact: with one output 1 and the others 0, −ln softmax is ln(1 + (K − 1)/e).
"""

from __future__ import annotations

from math import e, log
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.graph import Op
from fanin.rules.first_loss import first_loss
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding if the output has been through a softmax already."""
    loss = first_loss(inspection)
    graph = inspection.graph
    if loss is None or loss.kind != "cross_entropy" or loss.reads_shares:
        return
    last = graph.node(graph.outputs[0])
    outputs = inspection.measured.outputs
    sums = np.sum(outputs, axis=last.unit_axis or -1)
    if last.op is Op.SOFTMAX and np.allclose(sums, 1.0, atol=1e-3):
        least = log(1.0 + (loss.n_classes - 1) / e)
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where="the output",
            message="The outputs are probabilities already, and the loss applies "
            "softmax again.",
            measured="outputs that sum to 1",
            expected="logits",
            why=f"The loss can never fall below {number(least)}.",
            fix="Remove the softmax at the end of the model.",
            source=last.source,
            value=least,
            interval=(0.0, 0.0),
            mends=(),
        )


RULE = Rule(
    code="FAN505",
    name="softmax-twice",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
)
