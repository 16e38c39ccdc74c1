"""FAN501 first-loss-high.

## What it finds
A first loss well above that of a predictor that knows nothing: ln K for K classes, ln 2
for two, the variance of the targets for regression.

## Why it hurts
The logits are hot: the model is sure and wrong. The first steps are spent on cooling
them, and softmax or sigmoid may be saturated. Independent logits of standard deviation
s ≤ 2 add about s²/2 to the loss.

The output's bias is blamed where most of the logits' spread is its own: it holds a
prior that the targets do not have.

## When it is fine
Pretrained heads; losses with extra terms (those are not judged). A loss that is a sum
over the batch is judged by its mean, and gets a note of its own.

## Example
    nn.init.normal_(model.head.weight, std=1.0)   # 512 inputs: logits of size 20

## Use instead
    nn.init.zeros_(model.head.weight)             # the first loss is ln K exactly

## Assumptions
The loss is a cross-entropy or a squared error, whatever it is called: it is computed
again, with its weights of classes, label smoothing and labels that are passed over, and
judged only where the number is the same.

## Source
Karpathy, "A Recipe for Training Neural Networks" (2019), "verify loss @ init".
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.first_loss import first_loss
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.trunk import Trunk, mending_paths, scale_paths
from fanin.rules.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection
    from fanin.rules.losses import FirstLoss

# Half a nat above: logits of standard deviation over 1.
LEAST_NATS = 0.5
STANDARD_ERRORS = 4.0
# A regression that predicts noise of the targets' own size starts at twice their
# variance; ten times is out of scale.
LEAST_RATIO = 10.0
MOST_OF_IT = 0.5
# The second moment of what the head reads: a few layers without a gain leave it near 1.
LARGE_INPUT = 10.0


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding if the first loss is above the ignorant one."""
    loss = first_loss(inspection)
    if loss is None:
        return
    if loss.is_sum:
        yield _sum(loss)
    severity = _severity(loss)
    if severity is None:
        return
    name = _expectation(loss)
    head = inspection.trunk.head
    bias = _heating_bias(inspection, loss)
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=severity,
        where="the first loss",
        message=f"The first loss is {number(loss.value)}; knowing nothing costs "
        f"{number(loss.ignorant)}.",
        measured=f"{number(loss.value)} ± {number(loss.error)}; outputs of standard "
        f"deviation {number(loss.output_std)}",
        expected=f"{name} = {number(loss.ignorant)}",
        why="The outputs are too large: the model is sure and wrong."
        if bias is None
        else f"{bias} makes the model sure of some classes, which the targets are not.",
        fix="Make the output layer small or zero: fanin.init(model, batch)."
        if bias is None
        else f"Set {bias} to 0, or to ln p, p being each class's share.",
        source=head.source if head else None,
        paths=scale_paths(inspection.trunk) if bias is None else (bias,),
        value=loss.value,
        interval=(0.0, loss.ignorant + _margin(loss)),
        mends=None if bias is not None else _head_paths(inspection),
    )


def _sum(loss: FirstLoss) -> Finding:
    """Note that the loss grows with the batch, and its gradients with it."""
    n = loss.per_sample.size
    return Finding(
        code=RULE.code,
        name=RULE.name,
        severity=Severity.INFO,
        where="the first loss",
        message=f"The loss is a sum over {n} predictions and no mean.",
        measured=f"{number(loss.total)} in all, {number(loss.value)} for each",
        expected=f"{number(loss.ignorant)}, what knowing nothing costs on the mean",
        why="Loss and gradients double with the batch, and so does the step that a "
        "learning rate stands for.",
        fix='Use reduction="mean", or divide the learning rate by the batch size.',
        value=loss.total,
        interval=(0.0, loss.ignorant + _margin(loss)),
        mends=(),
    )


def _head_paths(inspection: Inspection) -> tuple[str, ...]:
    """Give what a cooler output is drawn with: the head, if what it reads is not large.

    Otherwise the weights on the way to it, which made it large.
    """
    trunk = inspection.trunk
    head = trunk.head
    site = inspection.sites.get(head.inputs[0]) if head and head.inputs else None
    if head is not None and site is not None and site.second_moment <= LARGE_INPUT:
        return mending_paths(inspection.graph, Trunk(nodes=(head,)))
    return mending_paths(inspection.graph, trunk)


def _heating_bias(inspection: Inspection, loss: FirstLoss) -> str | None:
    """Give the output's bias if most of the logits' spread over classes is its own."""
    head = inspection.trunk.head
    value = None if head is None else inspection.values.get(head.bias or "")
    if head is None or value is None or value.size != loss.n_classes:
        return None
    own = float(np.var(value, dtype=np.float64))
    return head.bias if own > MOST_OF_IT * loss.output_std**2 else None


def _margin(loss: FirstLoss) -> float:
    """Give how far over the ignorant loss the first one may lie."""
    if loss.kind == "mse":
        return (LEAST_RATIO - 1.0) * loss.ignorant + STANDARD_ERRORS * loss.error
    return max(LEAST_NATS, STANDARD_ERRORS * _cool_error(loss))


def _cool_error(loss: FirstLoss) -> float:
    """Give the standard error that a loss of cool logits has at most.

    Of logits of standard deviation 1, which cost half a nat, a sample's loss scatters
    by about 1; what hot logits scatter by more is no doubt about them.
    """
    return min(loss.error, 1.0 / sqrt(max(loss.per_sample.size, 1)))


def _severity(loss: FirstLoss) -> Severity | None:
    if loss.kind == "mse":
        margin = STANDARD_ERRORS * loss.error
        out_of_scale = loss.output_std**2 > LEAST_RATIO * loss.ignorant
        is_high = loss.value - margin > LEAST_RATIO * loss.ignorant and out_of_scale
        return Severity.WARNING if is_high and loss.ignorant > 0.0 else None
    excess = loss.value - loss.ignorant
    if excess > loss.ignorant + _margin(loss):
        return Severity.ERROR
    return Severity.WARNING if excess > _margin(loss) else None


def _expectation(loss: FirstLoss) -> str:
    if loss.kind == "mse":
        return "the variance of the targets"
    return f"ln {loss.n_classes}"


RULE = Rule(
    code="FAN501",
    name="first-loss-high",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=(
        "FAN104",
        "FAN203",
        "FAN204",
        "FAN701",
        "FAN802",
        "FAN803",
        "FAN804",
        "FAN805",
    ),
)
