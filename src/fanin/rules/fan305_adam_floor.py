"""FAN305 adam-floor.

## What it finds
Parameters whose gradient is so far under the ε that Adam adds to its root mean square
that Adam's step is less than a tenth of the learning rate.

## Why it hurts
Adam divides each gradient by its own size, so the size does not matter, down to ε.
Under it the step shrinks with the gradient, as in plain gradient descent, but with a
learning rate that was chosen for steps of size 1.

## When it is fine
Where a gate near 0 (LayerScale) keeps a branch quiet at the first step: the gradient is
looked at again after one step, when the gate has moved. Above ε the size of gradients
does not matter to Adam, and rules on vanishing gradients give notes only.

## Example
    torch.optim.Adam(deep_sigmoid_net.parameters())   # gradients of 10⁻⁹, ε of 10⁻⁸

## Use instead
    fanin.init(model, seed=0)                         # gradients of the size of 1

## Assumptions
Needs `optimizer=`. With g Gaussian of root mean square r the mean step is
lr·E[|g|/(|g| + ε)]: a tenth of lr at r = 0.1476ε, half at 1.745ε, 0.8 of it at 10ε.
Gains, biases and what sets attention's scores are not judged.

## Source
Kingma & Ba, "Adam" (2015), algorithm 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.trunk import mending_paths
from fanin.rules.updates import judged_paths
from fanin.rules.words import count, listing, number, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from fanin.rules.inspection import Inspection

# E[|g|/(|g| + ε)] for Gaussian g is 0.1 here; integrated in the test of this rule.
TIMES_EPS = 0.1476


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for all parameters whose gradient is down at ε."""
    facts = inspection.optimizer
    if facts is None or not facts.is_dividing or facts.eps <= 0.0:
        return
    least = TIMES_EPS * facts.eps
    sizes = _under(inspection.awakened.gradients, least, inspection)
    if not sizes:
        return
    later = _under(inspection.later_gradients, least, inspection)
    low = {path: size for path, size in sizes.items() if path in later}
    if not low:
        return
    worst = min(low, key=lambda path: low[path])
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=RULE.severity,
        where=listing(list(low)),
        message=f"The gradient of {count(len(low), 'parameter')} is under Adam's ε: "
        "the steps shrink with it.",
        measured=f"root mean square {number(low[worst])} in {worst}",
        expected=f"more than {number(least)}, where ε is {number(facts.eps)}",
        why="Under ε Adam no longer makes up for small gradients.",
        fix="Give each weight the scale of its activation: fanin.init(model). Or "
        "lower ε.",
        source=source_of(inspection.graph, worst),
        paths=tuple(low),
        value=low[worst],
        interval=(least, float("inf")),
        mends=mending_paths(inspection.graph, inspection.trunk),
    )


def _under(
    gradients: Mapping[str, np.ndarray | None], least: float, inspection: Inspection
) -> dict[str, float]:
    """Give the parameters whose gradient is smaller, with its root mean square.

    Entries of exactly 0 are left out: words that the batch does not hold, dead units.
    """
    found = {}
    for path in judged_paths(inspection):
        if inspection.values[path].ndim < 2:
            continue
        size = awake_size(gradients.get(path))
        if 0.0 < size < least:
            found[path] = size
    return found


def awake_size(gradient: np.ndarray | None) -> float:
    """Give the root mean square of the entries that are not 0; 0 if all are.

    >>> import numpy as np
    >>> awake_size(np.array([3.0, 0.0, -3.0])), awake_size(None)
    (3.0, 0.0)
    """
    if gradient is None:
        return 0.0
    flat = gradient.reshape(-1).astype("float64")
    n_awake = int((flat != 0.0).sum())
    return float((flat @ flat / n_awake) ** 0.5) if n_awake else 0.0


RULE = Rule(
    code="FAN305",
    name="adam-floor",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN203", "FAN204", "FAN304", "FAN402", "FAN802", "FAN701"),
    is_witness=True,
)
