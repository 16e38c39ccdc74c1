"""A tensor that is written part by part: which value each part has by now.

A loop that fills ``output[:, t]`` step by step writes into a view of one tensor. Until
someone reads the whole, the parts are only noted; then they are laid side by side once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.frameworks._aten.memory import Cut
    from fanin.graph.builder import GraphBuilder


Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Mosaic:
    """Parts along one axis of a tensor that had the value ``base`` before.

    shape: of the whole. parts: by the entries that each covers, its cut and its value.
    """

    base: int
    shape: tuple[int, ...]
    axis: int
    name: str
    parts: dict[range, tuple[Cut, int]] = field(default_factory=dict)

    def takes(self, cut: Cut) -> bool:
        """Say whether a part can be put in beside those that are there already."""
        if cut.axis != self.axis:
            return False
        new = set(cut.entries)
        others = (entries for entries in self.parts if entries != cut.entries)
        return all(new.isdisjoint(entries) for entries in others)

    def part_over(self, builder: GraphBuilder, cut: Cut, shape: Shape) -> int | None:
        """Give a slice that lies in one part; None if it does not."""
        for entries, (own, value) in self.parts.items():
            is_inside = cut.axis == self.axis and set(cut.entries) <= set(entries)
            if is_inside and own.step == cut.step == 1 and not own.is_dropped:
                if len(builder.shape(value)) != len(self.shape):
                    return None
                return builder.pick(
                    self.name,
                    value,
                    shape,
                    axis=cut.axis,
                    start=cut.start - own.start,
                    is_dropped=cut.is_dropped,
                )
        return None

    def value(self, builder: GraphBuilder) -> int:
        """Lay the parts and what is left of the base side by side, in order."""
        covered = {
            place: part for part in self.parts.values() for place in part[0].entries
        }
        if all(cut.step == 1 for cut, _ in self.parts.values()):
            return self._in_order(builder, covered)
        pieces = [self._piece(builder, *part) for part in self.parts.values()]
        left = self.shape[self.axis] - len(covered)
        if left:
            shape = (*self.shape[: self.axis], left, *self.shape[self.axis + 1 :])
            pieces.append(builder.pick(self.name, self.base, shape))
        joined = builder.concat(self.name, pieces, self.axis)
        return builder.pick(self.name, joined, self.shape)

    def _in_order(
        self, builder: GraphBuilder, covered: dict[int, tuple[Cut, int]]
    ) -> int:
        pieces: list[int] = []
        place, end = 0, self.shape[self.axis]
        while place < end:
            if place in covered:
                cut, value = covered[place]
                pieces.append(self._piece(builder, cut, value))
                place += cut.length
                continue
            stop = next((i for i in range(place, end) if i in covered), end)
            shape = (
                *self.shape[: self.axis],
                stop - place,
                *self.shape[self.axis + 1 :],
            )
            pieces.append(
                builder.pick(self.name, self.base, shape, axis=self.axis, start=place)
            )
            place = stop
        if len(pieces) == 1:
            return pieces[0]
        return builder.concat(self.name, pieces, self.axis)

    def _piece(self, builder: GraphBuilder, cut: Cut, value: int) -> int:
        shape = (*self.shape[: self.axis], cut.length, *self.shape[self.axis + 1 :])
        if builder.shape(value) == shape:
            return value
        if cut.is_dropped and len(builder.shape(value)) == len(shape) - 1:
            return builder.reshape(self.name, value, shape)
        return builder.broadcast(self.name, value, shape)
