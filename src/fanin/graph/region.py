"""A box of an array: what one shard of a parameter, or one piece of a file, holds."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, kw_only=True)
class Region:
    """A box of a whole array: along axis k the entries start[k] … start[k]+shape[k]−1.

    >>> Region(start=(1, 0), shape=(2, 3)).size
    6
    """

    start: tuple[int, ...]
    shape: tuple[int, ...]

    @classmethod
    def all(cls, whole: tuple[int, ...]) -> Region:
        """Give the box that is the whole array."""
        return cls(start=(0,) * len(whole), shape=tuple(whole))

    @property
    def size(self) -> int:
        """Count its entries."""
        return prod(self.shape)

    @property
    def slices(self) -> tuple[slice, ...]:
        """Give the index of the box in the whole array."""
        return tuple(
            slice(first, first + length)
            for first, length in zip(self.start, self.shape, strict=True)
        )

    def indices(self, whole: tuple[int, ...]) -> np.ndarray:
        """Give its entries' global row-major indices, in row-major order: 1-D int64.

        >>> Region(start=(1, 1), shape=(2, 2)).indices((3, 4)).tolist()
        [5, 6, 9, 10]
        """
        found = np.zeros((), dtype=np.int64)
        for axis, (first, length) in enumerate(
            zip(self.start, self.shape, strict=True)
        ):
            step = prod(whole[axis + 1 :])
            along = (first + np.arange(length, dtype=np.int64)) * step
            found = found[..., None] + along
        return found.reshape(-1)

    def runs(self, whole: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        """Yield its contiguous stretches as (first global index, entries), in order.

        >>> list(Region(start=(1, 1), shape=(2, 2)).runs((3, 4)))
        [(5, 2), (9, 2)]
        >>> list(Region(start=(1, 0), shape=(2, 4)).runs((3, 4)))
        [(4, 8)]
        """
        if not self.size:
            return
        axis = len(whole)
        while axis > 0 and self.shape[axis - 1] == whole[axis - 1]:
            axis -= 1
        axis = max(axis - 1, 0)  # the axis that a stretch runs along, with all behind
        length = prod(self.shape[axis:])
        outer = Region(
            start=(*self.start[: axis + 1], *(0,) * (len(whole) - axis - 1)),
            shape=(*self.shape[:axis], *(1,) * (len(whole) - axis)),
        )
        for first in outer.indices(whole):
            yield int(first), length
