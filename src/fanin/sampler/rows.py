"""Runs of elements of one length: what a shard or a box of a parameter is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fanin.graph.region import Region


@dataclass(frozen=True)
class Rows:
    """Elements in runs, laid one behind the other.

    heads: first global index of each run, "n_runs" int64. length: of every run.

    >>> rows = Rows(np.array([4, 10]), 3)
    >>> rows.indices().tolist(), len(rows)
    ([4, 5, 6, 10, 11, 12], 6)
    """

    heads: np.ndarray
    length: int

    def __len__(self) -> int:
        return len(self.heads) * self.length

    def indices(self) -> np.ndarray:
        """Give the global index of every element: 1-D int64."""
        found: np.ndarray = (self.heads[:, None] + np.arange(self.length)).ravel()
        return found

    def runs(self, part: slice) -> Rows:
        """Give some of the runs."""
        return Rows(self.heads[part], self.length)


Where = range | np.ndarray | Rows
"""Global row-major indices: a range, any at all (1-D, integer), or runs."""


def where_of(region: Region, whole: tuple[int, ...]) -> range | Rows:
    """Give the elements of a box of a parameter, in row-major order.

    >>> from fanin.graph.region import Region
    >>> where_of(Region((1, 0), (2, 3)), (4, 3))
    range(3, 9)
    >>> where_of(Region((1, 1), (2, 2)), (4, 3))
    Rows(heads=array([4, 7]), length=2)
    """
    heads, length = region.rows(whole)
    if len(heads) != 1:
        return Rows(heads, length)
    head = int(heads[0])
    return range(head, head + length)
