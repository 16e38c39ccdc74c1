"""Names that end alike: one condition in place of a list of many paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

ENOUGH: Final = 6
"""Paths that are worth a condition."""
MOST: Final = 6
"""Endings that a condition may have."""


def suffixes_of(paths: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """Give endings that these paths have and no other known path; () if too many.

    An ending is cut at a dot, as short as it can be.

    Args:
        paths: to be told from the others.
        known: all paths of the model.

    >>> known = [f"{i}.{name}" for i in range(4) for name in ("up.b", "norm.b", "w")]
    >>> suffixes_of([path for path in known if path.endswith("b")], known)
    ('.b',)
    >>> suffixes_of([path for path in known if "up" in path], known)
    ()
    """
    inside = frozenset(paths)
    if len(inside) < ENOUGH:
        return ()
    outside = [path for path in known if path not in inside]
    found: list[str] = []
    for path in paths:
        if not path.endswith(tuple(found)):
            found.append(_shortest(path, outside))
        if len(found) > MOST:
            return ()
    return tuple(s for s in found if s and _is_needed(s, found)) if all(found) else ()


def _shortest(path: str, outside: Collection[str]) -> str:
    """Give the shortest ending that no path outside has; "" where none is."""
    parts = path.split(".")
    for n_parts in range(1, len(parts)):
        ending = "." + ".".join(parts[-n_parts:])
        if not any(other.endswith(ending) for other in outside):
            return ending
    return ""


def _is_needed(ending: str, found: Collection[str]) -> bool:
    return not any(other != ending and ending.endswith(other) for other in found)
