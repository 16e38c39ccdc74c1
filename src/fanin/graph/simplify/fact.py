"""The record of what is known of a value before anything is simplified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.graph.draft import Kind

if TYPE_CHECKING:
    from fanin.graph.simplify.layout import Layout

CONSTANT, RANDOM, PARAMETER, ACTIVATION = range(4)
"""What a value depends on, the strongest that it meets: nothing, chance, parameters
alone, the batch (or a weight that was looked up or multiplied)."""

VIEWS = frozenset({Kind.PERMUTE, Kind.RESHAPE, Kind.BROADCAST, Kind.PICK})
EVERY_AXIS = "every"
"""As the unit axis of an input: each of its entries is a feature of its own."""

USES = frozenset({Kind.CONTRACT, Kind.CONVOLVE, Kind.LOOKUP})
"""Primitives in which a parameter acts as a weight."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a value.

    nature: see above. layout: of its axes. number: the one number that all its entries
    are, where known. origin: of what depends on parameters alone, the path of the
    largest of them, whose axes the layout names; sources: paths of all of them;
    is_view: it is that parameter itself, moved or cut or repeated.
    """

    nature: int
    layout: Layout
    number: float | None = None
    origin: str = ""
    sources: frozenset[str] = frozenset()
    is_view: bool = False
