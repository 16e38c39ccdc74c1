"""How one reaches a parameter from its model: attribute by attribute, item by item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step inwards, between two live objects.

    holder: the outer object; child: the inner one, held under ``key``: the name of an
    attribute, or a container's index or key. siblings: all items of a container, in
    order; empty where the child is an attribute. name: the dotted path up to the child.
    """

    holder: Any
    key: str | int
    child: Any
    name: str
    siblings: tuple[Any, ...] = ()

    @property
    def is_item(self) -> bool:
        """Say whether the holder is a container and the child one of its items."""
        return bool(self.siblings)
