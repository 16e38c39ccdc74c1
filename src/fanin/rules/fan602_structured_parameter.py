"""FAN602 structured-parameter.

## What it finds
Parameters that must look a certain way because of what they are for, and do not: step
sizes of a state-space model out of range or all one, a state that never fades, forget
gates that begin shut, a normalization's gain far from 1, a padding row that is not 0.

## Why it hurts
These are not random weights with a scale: each sets a time, a share or a size directly.
A state whose step is 1.3 forgets within a step, and what it forgets it cannot learn to
keep; the difference is still there after training.

## When it is fine
Where another time scale is known to suit the data. A gain of 0 at the end of a residual
branch is right and not reported; a padding row is a note.

## Example
    self.dt_bias = nn.Parameter(torch.ones(n_heads))      # softplus(1) = 1.31

## Use instead
    steps = torch.empty(n_heads).uniform_(log(0.001), log(0.1)).exp()
    self.dt_bias = nn.Parameter(steps + torch.log(-torch.expm1(-steps)))

## Assumptions
The role is read off the graph, by how the number is used, and never off its name: where
it is used in an unknown way, nothing is reported. Padding rows are known in PyTorch.

## Source
Gu & Dao, "Mamba" (2023), section 3.6; Gu et al., S4D (2022); Jozefowicz et al. (2015),
section 3.3; Ioffe & Szegedy (2015); Goyal et al. (2017), section 5.1. Seen in the wild:
flash-linear-attention pull request 739, transformers issue 43717.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.structured import DEMANDS
from fanin.rules.words import listing, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each parameter that does not look as its role demands."""
    trainable = set(inspection.trainable)
    for demand in DEMANDS:
        for misfit in demand(inspection):
            if not trainable.intersection(misfit.paths):
                continue
            yield Finding(
                code=RULE.code,
                name=RULE.name,
                severity=Severity.INFO if misfit.is_note else RULE.severity,
                where=listing(misfit.paths),
                message=misfit.message,
                measured=misfit.measured,
                expected=misfit.expected,
                why=misfit.why,
                fix=misfit.fix,
                source=source_of(inspection.graph, misfit.paths[0]),
                paths=misfit.paths,
                value=misfit.value,
                interval=misfit.interval,
                mends=None if misfit.is_mended else (),
            )


RULE = Rule(
    code="FAN602",
    name="structured-parameter",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN801", "FAN802", "FAN807"),
)
