"""Siblings: parameters that stand at the same place of layers that are repeated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERED = re.compile(r"_?\d+")


def place(path: str) -> str:
    """Give a path without its counts: what repeated layers have in common.

    >>> place("layers.3.mlp.fc1.weight"), place("dense_2/kernel"), place("dense/kernel")
    ('layers.*.mlp.fc*.weight', 'dense/kernel', 'dense/kernel')
    """
    # Keras counts its layers from "dense", which has no number, to "dense_1".
    return NUMBERED.sub(lambda m: "" if m[0].startswith("_") else "*", path)


def by_place(paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Give the paths of each place, in order of appearance.

    >>> by_place(["0.weight", "0.bias", "2.weight"])["*.weight"]
    ('0.weight', '2.weight')
    """
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(place(path), []).append(path)
    return {name: tuple(same) for name, same in found.items()}


def module_of(path: str) -> str:
    """Give the layer that holds a parameter: its path up to the last part.

    >>> module_of("layers.3.weight"), module_of("dense_2/kernel"), module_of("table")
    ('layers.3', 'dense_2', '')
    """
    cut = max(path.rfind("."), path.rfind("/"))
    return path[:cut] if cut > 0 else ""
