"""FAN503 prior-bias.

## What it finds
Classes so unequal that an output bias of ln(share) would lower the first loss by more
than a tenth of a nat, where the output bias is zero.

## Why it hurts
The first steps are spent on learning how frequent each class is, with large gradients
that all point the same way.

## When it is fine
Always: it costs some steps and no more. When the batch is not drawn like the data.

## Example
    # 2 % positives, output bias 0: the first loss is ln 2 = 0.69

## Use instead
    model.head.bias.data.fill_(math.log(0.02 / 0.98))   # first loss 0.10

## Assumptions
Ten targets a class or more. The plug-in entropy's bias, (K − 1)/(2n), is allowed for.

## Source
Lin et al., "Focal Loss for Dense Object Detection" (2017), section 4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.first_loss import first_loss
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection

LEAST_NATS = 0.1
TARGETS_A_CLASS = 10


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a note if the output bias could hold the prior and does not."""
    loss = first_loss(inspection)
    head = inspection.trunk.head
    if loss is None or loss.kind == "mse" or head is None or head.bias is None:
        return
    n = loss.per_sample.size
    gain = loss.ignorant - loss.entropy - (loss.n_classes - 1) / (2.0 * n)
    bias = inspection.values.get(head.bias)
    is_set = bias is None or bool(np.max(np.abs(bias), initial=0.0) > 1.0)
    if is_set or n < TARGETS_A_CLASS * loss.n_classes or gain <= LEAST_NATS:
        return
    form = "log(p/(1−p))" if loss.kind == "binary_cross_entropy" else "log(p)"
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=RULE.severity,
        where=head.bias,
        message=f"The classes are unequal: an output bias of {form} lowers the first "
        f"loss by {number(gain)}.",
        measured=f"shares from {number(float(loss.shares.min()))} to "
        f"{number(float(loss.shares.max()))}",
        expected=f"first loss {number(loss.entropy)}, the targets' entropy",
        why="The first steps would be spent on learning how frequent each class is.",
        fix=f"Set the output bias to {form}, p being each class's share.",
        source=head.source,
        paths=(head.bias,),
        value=loss.value,
        interval=(loss.entropy, loss.entropy + LEAST_NATS),
        mends=(),
    )


RULE = Rule(
    code="FAN503",
    name="prior-bias",
    severity=Severity.INFO,
    find=find,
    page=__doc__,
    hidden_by=("FAN501",),
)
