"""Spaces of units, and how they lie along the axis of a tensor or a parameter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.graph.graph import Graph, Node

Place = dict[str, int]
"""repeat, start, unit_step, repeat_step: the fields of a UnitSlice."""


@dataclass
class Space:
    """Units, and what has been found about them so far."""

    name: str
    size: int
    slices: list[tuple[str, str, int, Place]] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    is_outer: bool = False
    has_noise: bool = False


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One space along a unit axis: see ``UnitSlice`` for the steps."""

    space: int
    size: int
    repeat: int = 1
    start: int = 0
    unit_step: int = 1
    repeat_step: int = 1

    @property
    def length(self) -> int:
        """Entries of the axis: a count."""
        return self.size * self.repeat

    @property
    def place(self) -> Place:
        """Give the fields that a UnitSlice takes over."""
        return {
            "repeat": self.repeat,
            "start": self.start,
            "unit_step": self.unit_step,
            "repeat_step": self.repeat_step,
        }


Layout = tuple[Segment, ...]


def length_of(layout: Layout) -> int:
    """Give how many entries of an axis a layout spans: a count."""
    return sum(segment.length for segment in layout)


def parameter_path(graph: Graph, node: Node) -> str | None:
    """Give the path of the parameter that a PARAMETER node holds, if it says so."""
    for name in (node.scale, node.bias, node.path):
        if any(
            name == known.path or name in known.aliases for known in graph.parameters
        ):
            return name
    return None


def where(node: Node, what: str) -> str:
    """Name a node and what it does, for a reason."""
    name = node.path or f"node {node.id}"
    return f"{name} ({node.op}) {what}"


def key(segment: Segment) -> tuple[int, ...]:
    """Give what two segments must share for their units to match."""
    return (segment.size, *segment.place.values())


def starts(lengths: list[int]) -> list[int]:
    """Give where each of several runs of these lengths begins."""
    return [sum(lengths[:i]) for i in range(len(lengths))]


def is_before_positions(node: Node) -> bool | None:
    """Say whether the unit axis is the first or the last of those flattened."""
    axis = node.unit_axis
    if axis is None:
        return None
    others = [i for i, n in enumerate(node.shape) if i not in {axis, 0} and n > 1]
    if all(i > axis for i in others):
        return True
    return False if all(i < axis for i in others) else None
