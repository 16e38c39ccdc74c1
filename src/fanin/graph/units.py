"""Unit groups: which slices of which parameters belong to one hidden unit.

A unit is a channel or a feature. Everything that the network knows of it (incoming
weights, bias, normalization gain and shift, outgoing weights) changes places when two
units of one group change places, and the function computed stays the same. So two
units equal in all their slices are twins: no deterministic training tells them apart.

A group spans every tensor whose units stand and fall together: through a residual
sum, unit 3 of the stream is unit 3 of every branch that writes to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.unit_walk import Walk

if TYPE_CHECKING:
    from fanin.graph.graph import Graph


@dataclass(frozen=True, kw_only=True)
class UnitSlice:
    """Where the units of a group stand on one axis of one parameter.

    Unit ``u`` owns the entries ``start + u·unit_step + r·repeat_step`` of ``axis``,
    for r from 0 to ``repeat`` − 1: one entry each, unless a map was flattened in
    between (channels first: unit_step = positions, repeat_step = 1; channels last:
    unit_step = 1, repeat_step = channels).
    """

    path: str
    axis: int
    repeat: int = 1
    start: int = 0
    unit_step: int = 1
    repeat_step: int = 1

    def indices(self, size: int) -> np.ndarray:
        """Give the entries of the axis that each unit owns: (size, repeat) int64.

        >>> UnitSlice(path="w", axis=1, repeat=2, unit_step=2).indices(3).tolist()
        [[0, 1], [2, 3], [4, 5]]
        """
        units = np.arange(size)[:, None] * self.unit_step
        return self.start + units + np.arange(self.repeat) * self.repeat_step

    def rows(self, values: np.ndarray, size: int) -> np.ndarray:
        """Give one row for each unit, of all numbers that it owns: (size, …).

        >>> weight = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        >>> UnitSlice(path="w", axis=1).rows(weight, 2).tolist()
        [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]
        """
        taken = np.take(values, self.indices(size).ravel(), axis=self.axis)
        first = np.moveaxis(taken, self.axis, 0)
        return first.reshape(size, -1)


@dataclass(frozen=True, kw_only=True)
class UnitGroup:
    """All slices of one space of units.

    incoming: weights that write to the units, and their biases; outgoing: weights that
    read them; shared: what acts on each unit by itself (normalization gain and shift,
    per-unit factors, depthwise kernels, tables that are added).
    is_hidden: the units are neither the model's inputs nor its outputs.
    is_closed: the slices are everything that can tell two units apart; if not,
    ``reasons`` say where a unit escapes (an operation not understood, for instance).
    is_broken_by_noise: dropout hits units one by one in this mode.
    nodes: ids of the nodes whose outputs are made of these units.
    """

    name: str
    size: int
    incoming: tuple[UnitSlice, ...]
    outgoing: tuple[UnitSlice, ...]
    shared: tuple[UnitSlice, ...] = ()
    nodes: tuple[int, ...] = ()
    is_hidden: bool = True
    is_closed: bool = True
    is_broken_by_noise: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def slices(self) -> tuple[UnitSlice, ...]:
        """Give incoming, shared and outgoing slices in one tuple."""
        return (*self.incoming, *self.shared, *self.outgoing)


def unit_groups(graph: Graph) -> tuple[UnitGroup, ...]:
    """Find every space of units, in order of first appearance.

    Spaces that are the model's input or output, or that an operation reads whose
    effect on single units is not known, are given too and marked as such.

    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> hidden = sketch.dense(sketch.input((64, 2)), 3, path="0")
    >>> groups = unit_groups(sketch.graph(sketch.dense(hidden, 1, path="1")))
    >>> [(group.name, group.size) for group in groups if group.is_hidden]
    [('0', 3)]
    """
    walk = Walk(graph)
    walk.visit_all()
    groups: dict[int, list[int]] = {}
    for space in range(len(walk.spaces)):
        groups.setdefault(walk.root(space), []).append(space)
    return tuple(_group(walk, members) for members in groups.values())


def _group(walk: Walk, members: list[int]) -> UnitGroup:
    """Join the facts that the walk gathered about united spaces."""
    spaces = [walk.spaces[member] for member in members]

    def slices(kind: str) -> tuple[UnitSlice, ...]:
        found = (
            UnitSlice(path=path, axis=axis, **place)
            for space in spaces
            for slot, path, axis, place in space.slices
            if slot == kind
        )
        return tuple(dict.fromkeys(found))

    reasons = dict.fromkeys(reason for space in spaces for reason in space.reasons)
    return UnitGroup(
        name=next(space.name for space in spaces),
        size=spaces[0].size,
        incoming=slices("incoming"),
        outgoing=slices("outgoing"),
        shared=slices("shared"),
        nodes=tuple(sorted({node for space in spaces for node in space.nodes})),
        is_hidden=not any(space.is_outer for space in spaces),
        is_closed=not reasons,
        is_broken_by_noise=any(space.has_noise for space in spaces),
        reasons=tuple(reasons),
    )
