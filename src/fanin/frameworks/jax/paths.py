"""Dotted names for a tree's leaves: ``layers[0].weight`` is ``layers.0.weight``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import jax

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def word(key: Any) -> str:
    """Give one step of a tree path as a word of a dotted name."""
    for attribute in ("name", "idx", "key"):
        if hasattr(key, attribute):
            return str(getattr(key, attribute))
    return str(key)


def dotted(tree: Any) -> list[tuple[str, tuple[Any, ...], Any]]:
    """Give every leaf with its dotted name and its tree path, all names different.

    >>> tree = {"layers": [{"w": 1.0}, {"w": 2.0}]}
    >>> [name for name, _, _ in dotted(tree)]
    ['layers.0.w', 'layers.1.w']
    """
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    names = distinct(".".join(map(word, path)) for path, _ in leaves)
    pairs = zip(names, leaves, strict=True)
    return [(name, path, leaf) for name, (path, leaf) in pairs]


def distinct(names: Iterable[str]) -> list[str]:
    """Give names that are all different: the second of a name is its #2."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return found


def owner_of(root: Any, path: Sequence[Any]) -> str:
    """Give the class of the innermost object around a leaf that is no container."""
    held, owner = root, type(root).__name__
    for key in path[:-1]:
        held = _child(held, key)
        if not isinstance(held, list | tuple | dict) and held is not None:
            owner = type(held).__name__
    return owner


def _child(held: Any, key: Any) -> Any:
    if hasattr(key, "name"):
        return getattr(held, key.name, None)
    try:
        return held[getattr(key, "idx", getattr(key, "key", None))]
    except (LookupError, TypeError):
        return None
