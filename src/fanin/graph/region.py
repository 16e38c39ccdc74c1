"""A box of an array: what one process, device or file holds of a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Self

import numpy as np

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Region:
    """A box: where it starts along each axis of the whole array, and how long it is.

    start: the first entry along each axis. shape: the number of entries along each.

    Raises:
        ArgumentError: if the two have not as many axes, or a number is negative.

    >>> Region((1, 0), (2, 3)).size
    6
    """

    start: tuple[int, ...]
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if (
            len(self.start) != len(self.shape)
            or min(self.start + self.shape, default=0) < 0
        ):
            received = f"start {self.start}, shape {self.shape}"
            expected = "as many starts as lengths, all from 0 on"
            raise ArgumentError.of(
                argument="region", received=received, expected=expected
            )

    @classmethod
    def all(cls, whole: Sequence[int]) -> Self:
        """Give the region that is the whole array.

        >>> Region.all((4, 3))
        Region(start=(0, 0), shape=(4, 3))
        """
        return cls((0,) * len(whole), tuple(whole))

    @classmethod
    def of_slices(cls, slices: Sequence[slice], whole: Sequence[int]) -> Self:
        """Give the region of slices of step 1, one an axis, as JAX names shards.

        Raises:
            ArgumentError: if there are not as many slices as axes, or one has steps.

        >>> Region.of_slices((slice(2, None), slice(None)), (4, 3))
        Region(start=(2, 0), shape=(2, 3))
        """
        if len(slices) != len(whole) or any(s.step not in {None, 1} for s in slices):
            expected = f"{len(whole)} slices of step 1"
            raise ArgumentError.of(
                argument="slices", received=tuple(slices), expected=expected
            )
        ends = [s.indices(n) for s, n in zip(slices, whole, strict=True)]
        start = tuple(first for first, _, _ in ends)
        return cls(start, tuple(max(0, last - first) for first, last, _ in ends))

    @property
    def size(self) -> int:
        """Count the entries."""
        return prod(self.shape)

    @property
    def slices(self) -> tuple[slice, ...]:
        """Give the box as slices of the whole array.

        >>> np.arange(12).reshape(4, 3)[Region((2, 0), (1, 2)).slices].tolist()
        [[6, 7]]
        """
        ends = zip(self.start, self.shape, strict=True)
        return tuple(slice(first, first + length) for first, length in ends)

    def require_in(self, whole: Sequence[int]) -> None:
        """Refuse a region that does not lie in an array of that shape.

        Raises:
            ArgumentError: if it has other axes, or ends outside.
        """
        ends = [s + n for s, n in zip(self.start, self.shape, strict=True)]
        if len(ends) != len(whole) or any(
            e > n for e, n in zip(ends, whole, strict=True)
        ):
            expected = f"a box in an array of shape {tuple(whole)}"
            raise ArgumentError.of(argument="region", received=self, expected=expected)

    def indices(self, whole: Sequence[int]) -> np.ndarray:
        """Give the row-major indices of the entries in the whole array, 1-D int64.

        Args:
            whole: shape of the whole array.

        Raises:
            ArgumentError: if the region does not lie in it.

        >>> Region((1, 1), (2, 2)).indices((4, 3)).tolist()
        [4, 5, 7, 8]
        """
        self.require_in(whole)
        found = np.zeros(1, dtype=np.int64)
        for first, length, n in zip(self.start, self.shape, whole, strict=True):
            axis = np.arange(first, first + length)
            found = (found[:, None] * n + axis).ravel()
        return found

    def rows(self, whole: Sequence[int]) -> tuple[np.ndarray, int]:
        """Give the longest runs of entries side by side: first indices, one length.

        Args:
            whole: shape of the whole array.

        Returns:
            The first index of each run, "n_runs" int64, and the length of all.

        Raises:
            ArgumentError: if the region does not lie in it.

        >>> Region((1, 1), (2, 2)).rows((4, 3))
        (array([4, 7]), 2)
        """
        self.require_in(whole)
        if not self.size:
            return np.zeros(0, dtype=np.int64), 0
        axis = len(self.shape)
        while axis > 0 and self.shape[axis - 1] == whole[axis - 1]:
            axis -= 1
        outer = max(0, axis - 1)
        heads = Region(self.start[:outer], self.shape[:outer]).indices(whole[:outer])
        offset = self.start[outer] * prod(whole[axis:]) if axis else 0
        return heads * prod(whole[outer:]) + offset, prod(self.shape[outer:])

    def runs(self, whole: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield the longest runs of entries side by side: first index, and how many.

        Args:
            whole: shape of the whole array.

        Raises:
            ArgumentError: if the region does not lie in it.

        >>> list(Region((1, 1), (2, 2)).runs((4, 3)))
        [(4, 2), (7, 2)]
        >>> list(Region((1, 0), (2, 3)).runs((4, 3)))
        [(3, 6)]
        """
        heads, length = self.rows(whole)
        for head in heads.tolist():
            yield head, length
