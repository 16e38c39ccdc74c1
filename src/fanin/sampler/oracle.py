"""The specification in plain NumPy: any elements of any random law."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.rounding import write_rounded
from fanin.sampler import narrow, wide
from fanin.sampler.philox import words_at, words_in
from fanin.sampler.recipe import TRUNCATED, UNIFORM
from fanin.sampler.rows import Rows

if TYPE_CHECKING:
    from fanin.sampler.recipe import Recipe
    from fanin.sampler.rows import Where

PIECE = 1 << 15
"""Elements at a time: the intermediate arrays then stay in the cache."""


def fill(recipe: Recipe, key: int, where: Where, out: np.ndarray) -> None:
    """Write the numbers of these elements into ``out``.

    Args:
        recipe: what to draw.
        key: of the parameter, 64 bits.
        where: "n" global indices, in any order.
        out: "n", contiguous; its dtype decides between 32 and 64 bits. Halves are
            float32 rounded once; uint16 stands for bfloat16.
    """
    if isinstance(where, Rows):
        length = where.length
        several = max(1, PIECE // max(1, length))
        for start in range(0, len(where.heads), several):
            part = where.runs(slice(start, start + several))
            fill(recipe, key, part.indices(), out[start * length :][: len(part)])
        return
    numbers = _wide if out.dtype == np.float64 else _narrow
    for start in range(0, len(where), PIECE):
        piece = where[start : start + PIECE]
        write_rounded(out[start : start + PIECE], numbers(recipe, key, piece))


def words(key: int, where: range | np.ndarray, *, plane: int = 0) -> np.ndarray:
    """Give the words of these elements: "n" uint32."""
    if isinstance(where, range):
        return words_in(key, where.start, where.stop, plane=plane)
    return words_at(key, where, plane=plane)


def _narrow(recipe: Recipe, key: int, where: range | np.ndarray) -> np.ndarray:
    numbers = _narrow_law(recipe, words(key, where))
    return numbers if recipe.times == 1.0 else numbers * np.float32(recipe.times)


def _narrow_law(recipe: Recipe, bits: np.ndarray) -> np.ndarray:
    if recipe.kind == UNIFORM:
        units = narrow.uniform_units(bits)
        return narrow.to_float32(units, recipe.scale, narrow.UNIFORM_BITS)
    if recipe.kind == TRUNCATED:
        units = narrow.truncated_units(bits, recipe.cut)
    else:
        units = narrow.normal_units(bits)
    return narrow.to_float32(units, recipe.scale, narrow.NORMAL_BITS)


def _wide(recipe: Recipe, key: int, where: range | np.ndarray) -> np.ndarray:
    bits = wide.joined(words(key, where), words(key, where, plane=1))
    numbers = _wide_law(recipe, bits)
    return numbers if recipe.times == 1.0 else numbers * recipe.times


def _wide_law(recipe: Recipe, bits: np.ndarray) -> np.ndarray:
    if recipe.kind == UNIFORM:
        units = wide.uniform_units(bits)
        return wide.to_float64(units, recipe.scale, wide.UNIFORM_BITS)
    if recipe.kind == TRUNCATED:
        units = wide.truncated_units(bits, recipe.cut)
    else:
        units = wide.normal_units(bits)
    return wide.to_float64(units, recipe.scale, wide.NORMAL_BITS)
