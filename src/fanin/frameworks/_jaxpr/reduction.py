"""Sums, means and maxima that a program has taken, remembered by what they are of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.graph.windows import WindowAxis

Move = tuple[str, tuple[int, ...]]
"""How numbers were moved: "reshape" to a shape, or "permute" by a permutation."""


@dataclass(frozen=True, kw_only=True)
class Total:
    """A sum: of which value, over which axes or windows, of how many entries.

    shape: of the sum; moves: what was done to it since that moved its numbers alone.
    """

    source: int
    axes: tuple[int, ...]
    count: int
    shape: tuple[int, ...]
    windows: tuple[WindowAxis, ...] = ()
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reduction:
    """A mean or a maximum over axes of a value."""

    source: int
    axes: tuple[int, ...]
    kind: str
