"""The specification in plain NumPy: any elements of any random law."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from fanin.sampler import narrow, wide
from fanin.sampler.philox import words_at, words_in
from fanin.sampler.recipe import TRUNCATED, UNIFORM

if TYPE_CHECKING:
    from fanin.sampler.recipe import Recipe

Where: TypeAlias = range | np.ndarray
"""Global row-major indices: a range of them, or any at all (1-D, integer)."""

PIECE = 1 << 15
"""Elements at a time: the intermediate arrays then stay in the cache."""


def fill(recipe: Recipe, key: int, where: Where, out: np.ndarray) -> None:
    """Write the numbers of these elements into ``out``, float32 or float64.

    Args:
        recipe: what to draw.
        key: of the parameter, 64 bits.
        where: "n" global indices, in any order.
        out: "n", contiguous; its dtype decides between 32 and 64 bits.
    """
    numbers = _narrow if out.dtype == np.float32 else _wide
    for start in range(0, len(where), PIECE):
        piece = where[start : start + PIECE]
        out[start : start + PIECE] = numbers(recipe, key, piece)


def words(key: int, where: Where, *, plane: int = 0) -> np.ndarray:
    """Give the words of these elements: "n" uint32."""
    if isinstance(where, range):
        return words_in(key, where.start, where.stop, plane=plane)
    return words_at(key, where, plane=plane)


def _narrow(recipe: Recipe, key: int, where: Where) -> np.ndarray:
    bits = words(key, where)
    if recipe.kind == UNIFORM:
        units = narrow.uniform_units(bits)
        return narrow.to_float32(units, recipe.scale, narrow.UNIFORM_BITS)
    if recipe.kind == TRUNCATED:
        units = narrow.truncated_units(bits, recipe.cut)
    else:
        units = narrow.normal_units(bits)
    return narrow.to_float32(units, recipe.scale, narrow.NORMAL_BITS)


def _wide(recipe: Recipe, key: int, where: Where) -> np.ndarray:
    bits = wide.joined(words(key, where), words(key, where, plane=1))
    if recipe.kind == UNIFORM:
        units = wide.uniform_units(bits)
        return wide.to_float64(units, recipe.scale, wide.UNIFORM_BITS)
    if recipe.kind == TRUNCATED:
        units = wide.truncated_units(bits, recipe.cut)
    else:
        units = wide.normal_units(bits)
    return wide.to_float64(units, recipe.scale, wide.NORMAL_BITS)
