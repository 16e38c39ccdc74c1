"""JAX arrays that lie on several devices: drawn and looked at part by part.

A sharding says which box of an array each device holds. Of a new array each box is
drawn by itself and goes to its devices alone, so that no device and no host ever holds
the whole; a box that several devices hold is drawn once.
"""

from __future__ import annotations

from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any, Final

import jax
import numpy as np

from fanin.errors import ShapeError
from fanin.graph.draws import Listed, as_draw
from fanin.graph.holding import Holding
from fanin.graph.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph.draws import Draw, Numbers


ALIGNMENT: Final = 64
"""Bytes: memory that starts at a multiple of them is shared with NumPy, not copied."""


def drawn(path: str, draw: Draw | Numbers, like: Any, sharding: Any) -> Any:
    """Draw an array onto the devices of a sharding; each gets its own box of it.

    Args:
        path: of the parameter, for messages.
        draw: its numbers.
        like: what has its shape and its dtype.
        sharding: of JAX; None for JAX's default device.

    Raises:
        ShapeError: if the draw is of another shape.
    """
    shape = tuple(int(n) for n in like.shape)
    parts = _Parts(path, draw, shape, np.dtype(like.dtype))
    if sharding is None:
        return jax.device_put(parts.box(Region.all(shape)))
    return jax.make_array_from_callback(shape, sharding, parts)


class _Parts:
    """The boxes of one array, each drawn when it is first asked for."""

    def __init__(
        self, path: str, draw: Draw | Numbers, shape: tuple[int, ...], dtype: Any
    ) -> None:
        self.shape, self.dtype = shape, dtype
        self.draw = as_draw(draw)
        if self.draw.shape != shape:
            raise ShapeError.of(path, shape, self.draw.shape)
        self.boxes: dict[Region, np.ndarray] = {}

    def __call__(self, index: tuple[slice, ...] | None) -> np.ndarray:
        """Give the box that JAX names by slices; None is the whole of a scalar."""
        return self.box(Region.of_slices(index or (), self.shape))

    def box(self, region: Region) -> np.ndarray:
        """Give a box; asked again, the same array."""
        if region not in self.boxes:
            if region.shape != self.shape and not _is_one_by_one(self.draw):
                self.draw = Listed(self.draw(None))
            out = aligned(region.shape, self.dtype)
            self.draw.fill(out, region)
            self.boxes[region] = out
        return self.boxes[region]


def _is_one_by_one(draw: Draw) -> bool:
    """Say whether a box is drawn by itself: of an orthogonal matrix the whole is."""
    return bool(getattr(draw, "is_one_by_one", True))


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    """Give new memory that JAX's CPU takes over as it is, in place of a copy of it.

    >>> aligned((3, 2), np.dtype("float32")).ctypes.data % ALIGNMENT
    0
    """
    n_bytes = prod(shape) * dtype.itemsize
    memory = np.empty(n_bytes + ALIGNMENT, dtype=np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + n_bytes].view(dtype).reshape(shape)


def whole_of(array: Any) -> np.ndarray:
    """Give an array's numbers, over JAX's own memory where it is the CPU's.

    Of an array that lies on several hosts all of them must ask; each gets the whole.

    >>> whole_of(jax.numpy.ones(2)).tolist()
    [1.0, 1.0]
    """
    if getattr(array, "is_fully_addressable", True):
        return np.asarray(array)
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.process_allgather(array, tiled=True))


def boxes(array: Any) -> Iterator[tuple[Region, Any]]:
    """Yield the boxes of an array that this process holds, each once, with its data."""
    shape = tuple(int(n) for n in array.shape)
    seen = set()
    for shard in array.addressable_shards:
        region = Region.of_slices(shard.index, shape)
        if region not in seen:
            seen.add(region)
            yield region, shard.data


def holdings(array: Any) -> tuple[Holding, ...]:
    """Give what this process holds of an array, to look at.

    >>> [held.region.shape for held in holdings(jax.numpy.ones((2, 3)))]
    [(2, 3)]
    """
    shape = tuple(int(n) for n in array.shape)
    return tuple(
        Holding(
            shape=shape,
            region=region,
            dtype=str(array.dtype),
            take=partial(_taken, data),
        )
        for region, data in boxes(array)
    )


def _taken(data: Any, index: np.ndarray) -> np.ndarray:
    """Give some numbers of one device's array; no more than those leave it."""
    if next(iter(data.devices())).platform == "cpu":
        some: np.ndarray = np.asarray(data).reshape(-1)[index]
        return some
    return np.array(data[np.unravel_index(index, data.shape)])
