"""A draw: what gives the numbers of one parameter, whole or any box of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from fanin.errors import ArgumentError
from fanin.graph.region import Region
from fanin.graph.rounding import write_rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

Numbers = Callable[["np.ndarray | None"], "np.ndarray"]
"""Global row-major indices (None for all, in shape) → numbers of one parameter."""


@runtime_checkable
class Draw(Protocol):
    """The numbers of one parameter, each a function of its index alone."""

    def __call__(self, index: np.ndarray | None) -> np.ndarray:
        """Give the numbers at global row-major indices; all, in shape, if None."""
        ...

    def fill(self, out: np.ndarray, region: Region | None = None) -> None:
        """Write the numbers of a region into memory.

        Args:
            out: of the region's shape and the parameter's dtype, C-contiguous and
                writable. Of another dtype, the numbers are rounded once more; uint16
                stands for the bits of bfloat16.
            region: which part of the whole parameter; all of it if None.

        Raises:
            ArgumentError: if ``out`` has another shape than the region, or cannot be
                written, or the region does not lie in the parameter.
        """
        ...


@dataclass(frozen=True)
class Listed:
    """A draw of numbers that are there: present values, or values of a file.

    >>> held = Listed(np.arange(6.0).reshape(2, 3))
    >>> out = np.empty((2, 1), dtype=np.float32)
    >>> held.fill(out, Region((0, 2), (2, 1)))
    >>> out.tolist()
    [[2.0], [5.0]]
    """

    values: np.ndarray

    def __call__(self, index: np.ndarray | None) -> np.ndarray:
        """Give the values, or those at some indices."""
        return self.values if index is None else self.values.reshape(-1)[index]

    def fill(self, out: np.ndarray, region: Region | None = None) -> None:
        """Copy the values of a region."""
        part = region or Region.all(self.values.shape)
        require_fit(out, part, self.values.shape)
        write_rounded(out, self.values[part.slices])


@dataclass(frozen=True)
class Computed:
    """A draw made of a function of indices alone; it fills by way of an array.

    numbers: the function. shape: of the parameter; None to see it from the numbers, all
    of which are then computed for any region.
    """

    numbers: Numbers
    shape: tuple[int, ...] | None = None

    def __call__(self, index: np.ndarray | None) -> np.ndarray:
        """Give what the function gives."""
        return self.numbers(index)

    def fill(self, out: np.ndarray, region: Region | None = None) -> None:
        """Write what the function gives, rounded once."""
        if self.shape is None or region is None:
            Listed(np.asarray(self.numbers(None))).fill(out, region)
            return
        require_fit(out, region, self.shape)
        found = self.numbers(region.indices(self.shape))
        write_rounded(out, found.reshape(region.shape))


def as_draw(draw: Draw | Numbers) -> Draw:
    """Give a draw as it is, and a function of indices as one that can fill.

    >>> out = np.empty(2)
    >>> as_draw(lambda index: np.array([1.0, 2.0])).fill(out)
    >>> out.tolist()
    [1.0, 2.0]
    """
    return draw if isinstance(draw, Draw) else Computed(draw)


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
