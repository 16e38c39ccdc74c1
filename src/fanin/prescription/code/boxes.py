"""Sets of places with whole numbers, cut into boxes: products of one set an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Box = tuple[tuple[int, ...], ...]
"""The numbers along each axis; every combination is a place."""


def boxes_of(places: Iterable[tuple[int, ...]]) -> tuple[Box, ...]:
    """Cut places into boxes that hold each of them once and no other.

    Places that agree in all but the first number are looked at together: first numbers
    with the same rest share their boxes.

    >>> boxes_of([(1, 0), (1, 1), (2, 0), (2, 1), (3, 0)])
    (((1, 2), (0, 1)), ((3,), (0,)))
    >>> boxes_of([(0,), (2,), (4,)])
    (((0, 2, 4),),)
    """
    rests: dict[int, list[tuple[int, ...]]] = {}
    for place in places:
        if not place:
            return ((),)
        rests.setdefault(place[0], []).append(place[1:])
    if not rests:
        return ()
    shared: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for first in sorted(rests):
        shared.setdefault(tuple(sorted(set(rests[first]))), []).append(first)
    return tuple(
        (tuple(firsts), *box)
        for rest, firsts in shared.items()
        for box in boxes_of(rest)
    )
