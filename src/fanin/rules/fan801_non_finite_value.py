"""FAN801 non-finite-value.

## What it finds
NaN or infinity in a parameter, before any training.

## Why it hurts
Everything computed from it is NaN, and so is every gradient.

## When it is fine
Never.

## Example
    weight = nn.Parameter(torch.empty(3, 2))   # memory that was never written

## Use instead
    weight = nn.Parameter(torch.zeros(3, 2))
    fanin.init(model, seed=0)

## Assumptions
None.

## Source
Exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.rule import Evidence, Finding, Rule, Severity
from fanin.rules.sampled import is_finite
from fanin.rules.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each parameter that is not finite."""
    for path, value in inspection.values.items():
        if not is_finite(value):
            n_bad = int(value.size - np.count_nonzero(np.isfinite(value)))
            yield Finding(
                code=RULE.code,
                name=RULE.name,
                severity=RULE.severity,
                where=path,
                message=f"{n_bad} of its {count(value.size, 'number')} "
                f"{'is' if n_bad == 1 else 'are'} NaN or infinite.",
                measured=f"{n_bad} not finite",
                expected="finite numbers",
                why="Everything computed from it is NaN.",
                fix="Initialize it again: fanin.init(model).",
                evidence=Evidence.PROVED,
                paths=(path,),
                value=float(n_bad),
                interval=(0.0, 0.0),
            )


RULE = Rule(
    code="FAN801",
    name="non-finite-value",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN807",),
    needs_run=False,
)
