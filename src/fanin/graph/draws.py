"""A draw: what gives the numbers of one parameter, whole or any box of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import ArgumentError
from fanin.graph.region import Region
from fanin.graph.rounding import write_rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

Numbers = Callable[["np.ndarray | None"], "np.ndarray"]
"""Global row-major indices (None for all, in shape) → numbers of one parameter."""

Write = Callable[[], None]
"""Writes numbers into memory that was named before, and cannot fail."""


class Draw(ABC):
    """The numbers of one parameter, each a function of its index alone."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Give the shape of the whole parameter."""

    @abstractmethod
    def __call__(self, index: np.ndarray | None) -> np.ndarray:
        """Give the numbers at global row-major indices; all, in shape, if None."""

    @abstractmethod
    def prepared(self, out: np.ndarray, region: Region | None = None) -> Write:
        """Do all that can fail, and give what then writes; ``out`` is untouched.

        Numbers that are drawn one by one are made where they are written, without a
        second array of that size; only what cannot be (an orthogonal matrix) is made
        now and held.

        Args:
            out: as of `fill`.
            region: as of `fill`.

        Raises:
            ArgumentError: as `fill`.
        """

    def fill(self, out: np.ndarray, region: Region | None = None) -> None:
        """Write the numbers of a region into memory.

        Args:
            out: of the region's shape and the parameter's dtype, C-contiguous and
                writable. Of another dtype, the numbers are rounded once more; uint16
                stands for the bits of bfloat16.
            region: which part of the whole parameter; all of it if None.

        Raises:
            ArgumentError: if ``out`` has another shape than the region, or cannot be
                written, or the region does not lie in the parameter, or the dtype
                cannot hold the numbers.
        """
        self.prepared(out, region)()


@dataclass(frozen=True)
class Listed(Draw):
    """A draw of numbers that are there: present values, or values of a file.

    >>> held = Listed(np.arange(6.0).reshape(2, 3))
    >>> out = np.empty((2, 1), dtype=np.float32)
    >>> held.fill(out, Region((0, 2), (2, 1)))
    >>> out.tolist()
    [[2.0], [5.0]]
    """

    values: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Give the shape of the values."""
        return self.values.shape

    def __call__(self, index: np.ndarray | None) -> np.ndarray:
        """Give the values, or those at some indices."""
        return self.values if index is None else self.values.reshape(-1)[index]

    def prepared(self, out: np.ndarray, region: Region | None = None) -> Write:
        """Give what copies the values of a region."""
        part = region or Region.all(self.shape)
        require_fit(out, part, self.shape)
        return partial(write_rounded, out, self.values[part.slices])


@dataclass(frozen=True)
class Computed(Draw):
    """A draw made of a function of indices; its numbers are held until written."""

    numbers: Numbers
    whole: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Give the shape of the whole parameter."""
        return self.whole

    def __call__(self, index: np.ndarray | None) -> np.ndarray:
        """Give what the function gives."""
        return self.numbers(index)

    def prepared(self, out: np.ndarray, region: Region | None = None) -> Write:
        """Compute the numbers of a region, and give what copies them."""
        part = region or Region.all(self.whole)
        require_fit(out, part, self.whole)
        index = None if part == Region.all(self.whole) else part.indices(self.whole)
        found = np.asarray(self.numbers(index)).reshape(part.shape)
        return partial(write_rounded, out, found)


def as_draw(draw: Draw | Numbers) -> Draw:
    """Give a draw as it is, and of a plain function of indices its numbers.

    >>> out = np.empty(2)
    >>> as_draw(lambda index: np.array([1.0, 2.0])).fill(out)
    >>> out.tolist()
    [1.0, 2.0]
    """
    return draw if isinstance(draw, Draw) else Listed(np.asarray(draw(None)))


def require_fit(out: np.ndarray, region: Region, whole: Sequence[int]) -> None:
    """Refuse memory that a region of a parameter of shape ``whole`` does not fit.

    Raises:
        ArgumentError: if the shape, the layout or the region is wrong.
    """
    region.require_in(whole)
    is_usable = out.flags.c_contiguous and out.flags.writeable
    if out.shape != region.shape or not is_usable:
        received = f"shape {out.shape}"
        if not is_usable:
            received += ", which is not C-contiguous or cannot be written"
        expected = f"a writable, C-contiguous array of shape {region.shape}"
        raise ArgumentError.of(argument="out", received=received, expected=expected)
