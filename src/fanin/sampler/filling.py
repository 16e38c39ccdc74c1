"""Write a parameter's numbers straight into memory: the whole of it, or a box."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.region import Region
from fanin.graph.rounding import stored_as, write_rounded
from fanin.sampler.engine import ENGINE
from fanin.sampler.key import key_of
from fanin.sampler.law import MATRICES, Law
from fanin.sampler.matrices import fill_matrix, view_of
from fanin.sampler.ranges import lengths_of, require_range
from fanin.sampler.recipe import Recipe, recipe_of
from fanin.sampler.rows import where_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import SupportsIndex

Write = Callable[[], None]

SCRATCH: Final = 1 << 18
"""Numbers at a time where the memory does not lie side by side: a megabyte."""


def filling(  # noqa: PLR0913  # an address has that many parts
    out: np.ndarray,
    name: str,
    shape: Sequence[SupportsIndex],
    law: Law,
    *,
    seed: int,
    region: Region | None = None,
    stream: int = 0,
    times: float = 1.0,
) -> Write:
    """Do all that can fail of a draw, and give what then writes it into memory.

    The numbers are those of `fanin.sampler.draw`, made where they are written. Only a
    box of a matrix, or a matrix of 16 bits, is made now and held until it is written.

    Args:
        out: of the region's shape and any strides, writable: float64, float32, float16,
            or bfloat16 (ml_dtypes', or its bits as uint16).
        name: as of `draw`.
        shape: of the whole parameter.
        law: what to draw from.
        seed: as of `draw`.
        region: which box of the parameter; all of it if None.
        stream: as of `draw`.
        times: the numbers are multiplied with it, before halves are rounded.

    Raises:
        ArgumentError: if an argument is out of range, or the region does not lie in the
            shape.
    """
    lengths = lengths_of(shape)
    if region is not None:
        region.require_in(lengths)
    require_range(law, stored_as(out.dtype), times)
    key = key_of(name, seed=seed, stream=stream)
    if law.kind in MATRICES:
        box = Region.all(lengths) if region is None else region
        return _matrix(out, law, lengths, box, key, times)
    if law.kind == "constant":
        return partial(_constant, out, law.value or 0.0, times)
    if law.std == 0 or law.bound == 0:
        return partial(_constant, out, 0.0, 1.0)
    recipe = recipe_of(law, times)
    if out.flags.c_contiguous:
        where = range(prod(lengths)) if region is None else where_of(region, lengths)
        return partial(ENGINE.fill, recipe, key, where, out.reshape(-1))
    box = Region.all(lengths) if region is None else region
    return partial(_by_pieces, recipe, key, out, box, lengths)


def _constant(out: np.ndarray, value: float, times: float) -> None:
    if out.dtype == np.float64:
        out[...] = value * times
    else:
        write_rounded(out, np.array(np.float32(value) * np.float32(times)))


def _matrix(
    out: np.ndarray,
    law: Law,
    shape: tuple[int, ...],
    box: Region,
    key: int,
    times: float,
) -> Write:
    """Give what makes a whole matrix where it is to stand, or copies one made now."""
    view_of(shape, law.roles)  # refuses a shape that holds no matrix
    normals = partial(ENGINE.fill, recipe_of(Law("normal", std=1.0)), key)
    is_wide = out.dtype in {np.dtype(np.float32), np.dtype(np.float64)}
    is_here = out.shape == shape and out.flags.c_contiguous and is_wide
    if is_here and times == 1.0:
        return partial(fill_matrix, law, out, normals)
    whole = np.empty(shape, dtype=out.dtype if is_wide else np.dtype(np.float32))
    fill_matrix(law, whole, normals)
    part = whole[box.slices]
    if times != 1.0:
        part *= whole.dtype.type(times)
    held = np.empty(box.shape, dtype=out.dtype)
    write_rounded(held, part)
    return partial(write_rounded, out, held)


def _by_pieces(
    recipe: Recipe,
    key: int,
    out: np.ndarray,
    box: Region,
    shape: tuple[int, ...],
) -> None:
    """Fill memory that does not lie side by side, by way of a small array."""
    for piece in pieces_of(box.shape, SCRATCH):
        start = tuple(a + b for a, b in zip(box.start, piece.start, strict=True))
        scratch = np.empty(piece.shape, dtype=out.dtype)
        where = where_of(Region(start, piece.shape), shape)
        ENGINE.fill(recipe, key, where, scratch.reshape(-1))
        out[piece.slices] = scratch


def pieces_of(shape: tuple[int, ...], most: int) -> Iterator[Region]:
    """Cut an array into boxes of at most so many entries, in row-major order.

    A row of the last axis may be longer; it is cut as well.

    >>> [(p.start, p.shape) for p in pieces_of((3, 4), 8)]
    [((0, 0), (2, 4)), ((2, 0), (1, 4))]
    >>> [(p.start, p.shape) for p in pieces_of((5,), 3)]
    [((0,), (3,)), ((3,), (2,))]
    """
    if prod(shape) <= most:
        yield Region.all(shape)
        return
    axis = 0
    while prod(shape[axis + 1 :]) > most:
        axis += 1
    step, rest = most // prod(shape[axis + 1 :]), shape[axis + 1 :]
    for outer in np.ndindex(*shape[:axis]):
        for first in range(0, shape[axis], step):
            length = min(step, shape[axis] - first)
            start = (*outer, first, *(0,) * len(rest))
            yield Region(start, (*(1,) * axis, length, *rest))
