"""Cut a box of a parameter where its numbers begin to come from elsewhere.

What is mirrored, drawn block by block, or has parts of its own falls into boxes, each
of which is a box of one draw, times a number; so a whole parameter is written box by
box into its own memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from math import prod
from typing import TYPE_CHECKING, Final

from fanin.graph.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.prescription.prescription import Part, Prescription

MOST_BOXES: Final = 4096
"""More cost more time than the arrays that they save."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """Numbers that come from one draw.

    place: where they go, counted from the start of the region asked for. stream: which
    block they are of. region: which box of that block. times: what they are multiplied
    with. value: what they are in place of the draw, if it is not None.
    """

    place: tuple[slice, ...]
    stream: int
    region: Region
    times: float
    value: float | None


@dataclass(frozen=True, kw_only=True)
class _Run:
    """Entries of one axis that stay together; fields as of `Box`."""

    first: int
    length: int
    source: int
    stream: int = 0
    times: float = 1.0
    value: float | None = None


def boxes_of(p: Prescription, region: Region) -> tuple[Box, ...] | None:
    """Cut a region of a parameter; None where units are not the places of one axis.

    Args:
        p: its shape can be cut as it says.
        region: which box is asked for.

    >>> from fanin.prescription.prescription import Prescription
    >>> p = Prescription(
    ...     path="w",
    ...     shape=(4, 2),
    ...     dtype="float32",
    ...     role="",
    ...     scheme="",
    ...     law="normal",
    ...     reason="",
    ...     std=1.0,
    ...     mirrored=(0,),
    ... )
    >>> [(b.place[0], b.region.start, b.times) for b in boxes_of(p, Region.all((4, 2)))]
    [(slice(0, 2, None), (0, 0), 1.0), (slice(2, 4, None), (0, 0), -1.0)]
    """
    unit_axis = _unit_axis(p) if p.parts else 0
    if unit_axis is None:
        return None
    runs = [
        list(_runs(p, axis, region, p.parts if axis == unit_axis else ()))
        for axis in range(len(p.shape))
    ]
    if prod(map(len, runs)) > MOST_BOXES:
        return None
    return tuple(_box(combined) for combined in product(*runs))


def block_axis(p: Prescription) -> int:
    """Give the axis that blocks are laid along: that of the outputs."""
    return p.roles.outputs[0] if p.roles is not None and p.roles.outputs else 0


def _unit_axis(p: Prescription) -> int | None:
    """Give the axis along which units are counted, if it is one."""
    if p.roles is None:
        return 0 if len(p.shape) == 1 else None
    is_by_input = p.roles.is_transposed and not p.roles.has_all_outputs
    return None if is_by_input or len(p.roles.outputs) != 1 else p.roles.outputs[0]


def _runs(
    p: Prescription, axis: int, region: Region, parts: tuple[Part, ...]
) -> Iterator[_Run]:
    """Cut one axis, at the middle, between blocks, and around parts."""
    start, end = region.start[axis], region.start[axis] + region.shape[axis]
    half = p.shape[axis] // 2 if axis in p.mirrored else p.shape[axis]
    n_blocks = p.n_blocks if axis == block_axis(p) else 1
    block = half // n_blocks
    cuts = {start, end}
    if block:
        cuts.update(range(start - start % block + block, end, block))
    for part in parts:
        for edge in (part.start, part.start + part.size):
            low = start + (edge - start) % part.period
            cuts.update(range(low, end, part.period))
    for here, there in pairwise(sorted(cuts)):
        is_second, place = divmod(here, half)
        stream, source = divmod(place, block)
        own = next((part for part in parts if part.holds(here)), None)
        sign = -1.0 if is_second else 1.0
        yield _Run(
            first=here - start,
            length=there - here,
            source=source,
            stream=stream,
            times=sign * (1.0 if own is None else own.factor),
            value=None if own is None else own.value,
        )


def _box(runs: tuple[_Run, ...]) -> Box:
    value = next((run.value for run in runs if run.value is not None), None)
    return Box(
        place=tuple(slice(run.first, run.first + run.length) for run in runs),
        stream=max((run.stream for run in runs), default=0),
        region=Region(
            tuple(run.source for run in runs), tuple(run.length for run in runs)
        ),
        times=prod(run.times for run in runs),
        value=value,
    )
