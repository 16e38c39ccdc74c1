"""Entries of parameters that more than one space of units lays claim to.

A weight that runs twice has the same rows both times: whoever swaps two of them swaps
them in both outputs, so the units of both are one group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.unit_spaces import key

if TYPE_CHECKING:
    from fanin.graph.unit_spaces import Segment


class Claims:
    """Which space holds which entries of which axis of which parameter."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, int], dict[tuple[int, ...], Segment]] = {}

    def add(self, path: str, axis: int, segment: Segment) -> tuple[Segment, ...]:
        """Note a claim, and give the earlier ones on any of the same entries.

        >>> from fanin.graph.unit_spaces import Segment
        >>> claims = Claims()
        >>> claims.add("w", 0, Segment(space=0, size=3))
        ()
        >>> [found.space for found in claims.add("w", 0, Segment(space=1, size=3))]
        [0]
        >>> claims.add("w", 0, Segment(space=2, size=3, start=3))
        ()
        """
        held = self._held.setdefault((path, axis), {})
        same = held.setdefault(key(segment), segment)
        if same is not segment:
            return (same,)
        others = (known for known in held.values() if known is not segment)
        return tuple(known for known in others if _overlaps(known, segment))


def _overlaps(first: Segment, second: Segment) -> bool:
    return first.start < _end(second) and second.start < _end(first)


def _end(segment: Segment) -> int:
    last_unit = (segment.size - 1) * segment.unit_step
    return segment.start + last_unit + (segment.repeat - 1) * segment.repeat_step + 1
