"""FAN808 overwritten-start.

## What it finds
Parameters whose start was decided by a line of the model's own code and then decided
again, to another effect, by a line that sweeps over more of the model: a zero that is
drawn over, a table that `apply(init)` draws once more at another scale.

## Why it hurts
The first decision is lost without a sound. A LoRA adapter that began as the identity
does so no longer; a gate that was to open slowly is open from the start.

## When it is fine
A general sweep first and special cases after it is the right order, and silent: so are
a layer's own start replaced by the model's, the same law drawn again, and a checkpoint
that is loaded over everything.

## Example
    nn.init.zeros_(self.lora_B)      # in the adapter's __init__
    model.apply(init_weights)        # draws every weight, lora_B among them

## Use instead
    model.apply(init_weights)
    nn.init.zeros_(adapter.lora_B)   # what is special comes last

## Assumptions
`factory` builds the model as training does; PyTorch only. A line is more general than
another where it writes more of the model's parameters. A start that changed by less
than 30 % in size is not reported. Zeros that memory was merely made with count as a
decision where an adapter, a gate or the end of a branch begins with them; elsewhere,
as other changes of size, they are a note.

## Source
The factory is watched as it runs (`fanin.frameworks.torch.construction`). Seen in the
wild: FastVideo pull request 781, cosmos-predict2.5 pull request 15, fastai pull request
2090, EasyCV pull request 85.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import inf, log, sqrt
from typing import TYPE_CHECKING

from fanin.graph.construction import Writer, Written
from fanin.graph.roles import RoleKind
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import listing, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.graph.construction import Write
    from fanin.rules.inspection import Inspection

# Zero on purpose, where they are: all behind them is shut until they move.
CLOSING = {RoleKind.LOW_RANK_UP, RoleKind.LOW_RANK_DOWN, RoleKind.LAYER_SCALE}
# As FAN701: a size that differs by less is nobody's decision.
TOLERANCE, STANDARD_ERRORS = 1.3, 5.0


@dataclass(frozen=True, kw_only=True)
class Overwritten:
    """A start that was lost.

    first: the write that decided; last: the one that is left. off: |ln| of the ratio of
    their sizes; infinite where one of them is 0.
    """

    first: Write
    last: Write
    off: float


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each pair of lines of which one undoes the other."""
    construction = inspection.construction
    if construction is None:
        return
    sizes = {p.path: p.size for p in inspection.parameters}
    lost = overwritten(construction.writes, sizes)
    closed = _begin_closed(inspection) if lost else frozenset()
    for same in _by_lines(lost):
        worst = max((lost[path] for path in same), key=lambda each: each.off)
        is_chosen = not worst.first.is_birth or bool(closed.intersection(same))
        is_zero_lost = worst.first.size == 0.0 and is_chosen
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=Severity.WARNING if is_zero_lost else Severity.INFO,
            where=listing(same),
            message=f"{'Its' if len(same) == 1 else 'Their'} start was set by "
            f"{worst.first} and lost to {worst.last}, which writes more of the model.",
            measured=f"root mean square {_size(worst.first)} before, "
            f"{_size(worst.last)} after",
            expected=f"root mean square {_size(worst.first)}, as the first line set it",
            why="What was decided for this parameter has no effect.",
            fix=f"Run {worst.first.where or 'the first'} after "
            f"{worst.last.where or 'the second'}, or leave this parameter out there.",
            paths=same,
            value=worst.last.size,
            interval=_around(worst.first),
            mends=(),
        )


def _by_lines(lost: Mapping[str, Overwritten]) -> list[tuple[str, ...]]:
    """Give the parameters that the same two lines concern, in order of appearance."""
    found: dict[tuple[str, str], list[str]] = {}
    for path, each in lost.items():
        found.setdefault((each.first.where, each.last.where), []).append(path)
    return [tuple(paths) for paths in found.values()]


def overwritten(
    writes: Mapping[str, tuple[Write, ...]], sizes: Mapping[str, int]
) -> dict[str, Overwritten]:
    """Give the parameters whose own start was lost to a more general line.

    Args:
        writes: by path, in their order.
        sizes: how many numbers each parameter of the model holds; others are left out.

    >>> from fanin.graph.construction import Write
    >>> zero = Write(call="zeros_", where="a:1", kind=Written.CONSTANT, size=0.0)
    >>> drawn = Write(call="normal_", where="b:2", size=0.02)
    >>> list(overwritten({"B": (zero, drawn), "A": (drawn,)}, {"B": 9}))
    ['B']
    """
    breadth = Counter(
        line for history in writes.values() for line in set(map(_line, history))
    )
    found = {path: _lost(history, breadth) for path, history in writes.items()}
    return {
        path: lost
        for path, lost in found.items()
        if lost is not None and path in sizes and lost.off > _chance(sizes[path])
    }


def _chance(size: int) -> float:
    """Give how far |ln| of the ratio of two sizes of one law can be by chance.

    Of n normal numbers the standard error of ln(size) is 1/√(2n); two are compared.
    """
    return max(log(TOLERANCE), STANDARD_ERRORS / sqrt(max(size, 1)))


def _line(write: Write) -> tuple[str, str]:
    """Give the line that wrote, and whose call it wrote in: a helper serves many."""
    return write.where, write.via


def _lost(
    history: tuple[Write, ...], breadth: Counter[tuple[str, str]]
) -> Overwritten | None:
    """Compare the last decision with those before it; None if none was lost."""
    last = history[-1]
    decided = [write for write in history[:-1] if _is_decision(write)]
    if not decided or not last.is_whole or last.kind is Written.LOADED:
        return None
    first = decided[-1]
    off = _off(first, last)
    is_swept_over = breadth[_line(last)] > breadth[_line(first)]
    if not (first.where and last.where and is_swept_over):
        return None
    return Overwritten(first=first, last=last, off=off)


def _is_decision(write: Write) -> bool:
    """Say whether somebody chose these numbers for the model.

    A layer's own start is chosen for nobody, and memory that is made with ones in it
    is as often a mere place for numbers to come; zeros are born on purpose.
    """
    is_own = write.by is not Writer.LAYER and write.is_whole
    return is_own and (not write.is_birth or write.size == 0.0)


def _begin_closed(inspection: Inspection) -> frozenset[str]:
    """Give the parameters that hold a part of the model shut where they are 0."""
    if inspection.measurement is None:
        return frozenset()
    found = inspection.roles
    return frozenset(
        path for path, role in found.items() if role.kind in CLOSING or role.n_branches
    )


def _off(first: Write, last: Write) -> float:
    """Give |ln| of the ratio of two sizes: infinite where one of them is 0."""
    if first.size is None or last.size is None or first.size == last.size:
        return 0.0
    return abs(log(last.size / first.size)) if first.size and last.size else inf


def _size(write: Write) -> str:
    return "unknown" if write.size is None else number(write.size)


def _around(write: Write) -> tuple[float, float] | None:
    if write.size is None:
        return None
    return write.size / TOLERANCE, write.size * TOLERANCE


RULE = Rule(
    code="FAN808",
    name="overwritten-start",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN807",),
    needs_run=False,
    needs_construction=True,
)
