"""FAN807 never-written.

## What it finds
Parameters whose memory nobody fills while the model is built. The factory is called
once more with all new memory filled with NaN: where NaN is left, nobody wrote. So it is
found even where memory happens to hold zeros or leftovers that look like weights.

## Why it hurts
What memory holds is chance: zeros in one process, another tensor's numbers or NaN in
the next. A run that works is not repeated by the same code and the same seed.

## When it is fine
Where a checkpoint is loaded before training. Load it in the factory, and this rule is
silent.

## Example
    self.table = nn.Parameter(torch.empty(64, 64))   # and no initializer

## Use instead
    self.table = nn.Parameter(torch.empty(64, 64))
    nn.init.normal_(self.table, std=0.02)

## Assumptions
`factory` builds the model as training does. PyTorch only: Keras and JAX have no memory
without numbers. Random streams and PyTorch's switches are put back.

## Source
Exact: `torch.utils.deterministic.fill_uninitialized_memory`. Seen in the wild in
TransformerLens (issue 902) and transformers (issues 30374 and 46002).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Evidence, Finding, Rule, Severity
from fanin.rules.siblings import by_place
from fanin.rules.words import count, listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each place whose memory nobody fills."""
    construction = inspection.construction
    if construction is None:
        return
    sizes = {p.path: p.size for p in inspection.parameters}
    unwritten = [path for path in construction.never_written if path in sizes]
    for same in by_place(unwritten).values():
        total = sum(sizes[path] for path in same)
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(same),
            message=f"Nobody writes {'its' if len(same) == 1 else 'their'} "
            f"{count(total, 'number')} while the model is built.",
            measured="memory filled with NaN before the factory ran still holds NaN "
            "after it",
            expected="an initializer that writes every number",
            why="What memory holds is chance: it changes from run to run, and can be "
            "NaN.",
            fix="Give it an initializer where it is made, or draw the model's weights "
            "after building it: fanin.init(model).",
            evidence=Evidence.PROVED,
            paths=same,
        )


RULE = Rule(
    code="FAN807",
    name="never-written",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    needs_run=False,
    needs_construction=True,
)
