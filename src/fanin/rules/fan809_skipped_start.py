"""FAN809 skipped-start.

## What it finds
A parameter that the model's own initialization passed over while it wrote the same
parameter of the sister layers: a line that writes three of four repeated layers or
more, and this one is left as its layer made it.

## Why it hurts
One layer has another scale than its sisters. The usual reasons are a test on the type
or the name that fails for one of them, or memory that did not exist yet when the
initialization ran (the meta device, a sharded tensor), and none of them is a choice.

## When it is fine
A layer that is meant to keep its framework's start, among sisters that do not. A head
or a stem is not compared with the layers between: only repeated layers are sisters.

## Example
    for layer in model.layers[:-1]:          # the last one is left out
        nn.init.normal_(layer.weight, std=0.02)

## Use instead
    for layer in model.layers:
        nn.init.normal_(layer.weight, std=0.02)

## Assumptions
`factory` builds the model as training does; PyTorch only. Sisters have the same path up
to its numbers, the same class of layer and the same shape, and are four or more; what
is alike in size all the same is not reported.

## Source
The factory is watched as it runs (`fanin.frameworks.torch.construction`). Seen in the
wild: flash-linear-attention pull requests 156 and 753, transformers issue 43717.
"""

from __future__ import annotations

from collections import Counter
from math import log, sqrt
from typing import TYPE_CHECKING

from fanin.graph.construction import Writer
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.siblings import place
from fanin.rules.words import listing, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.graph import Parameter
    from fanin.graph.construction import Write
    from fanin.rules.inspection import Inspection

LEAST_SISTERS = 4
SHARE_WRITTEN = 0.75
# As FAN808.
TOLERANCE, STANDARD_ERRORS = 1.3, 5.0


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each line that passes over sisters of what it writes."""
    construction = inspection.construction
    if construction is None:
        return
    writes = construction.writes
    sizes = {p.path: p.size for p in inspection.parameters}
    for sisters in _sisters(inspection.parameters, writes):
        line, skipped = passed_over({path: writes[path] for path in sisters})
        if not skipped:
            continue
        written = [path for path in sisters if path not in skipped]
        size, usual = _size(writes, skipped), _size(writes, written)
        if not _differ(size, usual, sizes[skipped[0]]):
            continue
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(skipped),
            message=f"{line} initializes {len(written)} of {len(sisters)} sister "
            f"layers and passes over {'this one' if len(skipped) == 1 else 'these'}.",
            measured=f"root mean square {number(size or 0.0)}, as the layer made it",
            expected=f"root mean square {number(usual or 0.0)}, as in the sisters",
            why="Of layers that are alike, one starts at another scale.",
            fix="Let the initialization reach it as well, or fanin.init(model).",
            paths=skipped,
            value=size,
            interval=None if usual is None else (usual / TOLERANCE, usual * TOLERANCE),
        )


def _sisters(
    parameters: tuple[Parameter, ...], writes: Mapping[str, tuple[Write, ...]]
) -> list[list[str]]:
    """Give the sets of parameters that stand in the same place of repeated layers."""
    found: dict[tuple[str, str, tuple[int, ...]], list[str]] = {}
    for parameter in parameters:
        if parameter.path in writes:
            kind = (place(parameter.path), parameter.owner, parameter.shape)
            found.setdefault(kind, []).append(parameter.path)
    return [paths for paths in found.values() if len(paths) >= LEAST_SISTERS]


def passed_over(
    histories: Mapping[str, tuple[Write, ...]],
) -> tuple[str, tuple[str, ...]]:
    """Give the line that writes nearly all of some parameters, and what it leaves out.

    What another line of the model's own code wrote instead was not left out.

    >>> from fanin.graph.construction import Write
    >>> own = Write(call="Linear.__init__", where="net.py:3", by=Writer.LAYER)
    >>> drawn = Write(call="normal_", where="net.py:9")
    >>> passed_over(
    ...     {"0": (own, drawn), "1": (own, drawn), "2": (own, drawn), "3": (own,)}
    ... )
    ('net.py:9', ('3',))
    """
    lines = Counter(
        where
        for history in histories.values()
        for where in {w.where for w in history if w.by is not Writer.LAYER}
    )
    if not lines:
        return "", ()
    line, n_written = lines.most_common(1)[0]
    left = tuple(
        path
        for path, history in histories.items()
        if all(write.by is Writer.LAYER for write in history)
    )
    is_sweep = bool(line) and SHARE_WRITTEN <= n_written / len(histories) < 1.0
    return (line, left) if is_sweep else ("", ())


def _size(
    writes: Mapping[str, tuple[Write, ...]], paths: list[str] | tuple[str, ...]
) -> float | None:
    """Give the middle one of the sizes that the last writes left."""
    sizes = sorted(s for p in paths if (s := writes[p][-1].size) is not None)
    return sizes[len(sizes) // 2] if sizes else None


def _differ(size: float | None, usual: float | None, n: int) -> bool:
    """Say whether two sizes of ``n`` numbers differ by more than chance makes them."""
    if size is None or usual is None or size == usual:
        return False
    if size == 0.0 or usual == 0.0:
        return True
    return abs(log(size / usual)) > max(log(TOLERANCE), STANDARD_ERRORS / sqrt(n))


RULE = Rule(
    code="FAN809",
    name="skipped-start",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN807", "FAN802"),
    needs_run=False,
    needs_construction=True,
)
