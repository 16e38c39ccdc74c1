"""What plain containers hold: noted before a run, and put back in place after it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTAINERS: Final = (list, dict, set, deque)
DEEPEST: Final = 4
"""How far containers in containers are followed."""

Contents = list[tuple[Any, Any]]


def contents_of(values: Iterable[Any]) -> Contents:
    """Note what lists, dicts, sets and queues hold, and those inside them.

    >>> kept = {"losses": [1.0]}
    >>> noted = contents_of([kept])
    >>> kept["losses"].append(2.0)
    >>> put_back(noted)
    >>> kept
    {'losses': [1.0]}
    """
    found: Contents = []
    level = [value for value in values if isinstance(value, CONTAINERS)]
    for _ in range(DEEPEST):
        found += [(value, value.copy()) for value in level]
        inner = (
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value)
        )
        level = [item for item in inner if isinstance(item, CONTAINERS)]
    return found


def put_back(contents: Contents) -> None:
    """Give every container what it held, itself staying the same object."""
    for value, copy in contents:
        value.clear()
        if isinstance(value, (dict, set)):
            value.update(copy)
        else:
            value.extend(copy)
