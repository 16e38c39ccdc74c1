"""Numbers at some places of a parameter: as the plan has them, and as they are held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.rounding import bfloat16_bits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.draws import Draw
    from fanin.graph.holding import Holding

FLOATS: Final = ("float16", "float32", "float64")
PRECISION: Final = {
    "bfloat16": 2.0**-8,
    "float16": 2.0**-11,
    "float32": 2.0**-24,
    "float64": 2.0**-53,
}
"""Half a unit in the last place of 1, by dtype: the largest relative rounding error."""


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Numbers at some places, all in float64, which holds them exactly.

    index: row-major places in the whole parameter, int64. planned: what the plan
    draws. expected: that, rounded once to the dtype in which the parameter is held.
    received: what is held.
    """

    index: np.ndarray
    planned: np.ndarray
    expected: np.ndarray
    received: np.ndarray

    @property
    def is_different(self) -> np.ndarray:
        """Say of each place whether it holds other bits; a NaN is never the plan's."""
        is_other = self.received != self.expected
        found: np.ndarray = is_other | (
            np.signbit(self.received) != np.signbit(self.expected)
        )
        return found

    def at(self, which: np.ndarray) -> Numbers:
        """Keep some of the places."""
        return Numbers(
            index=self.index[which],
            planned=self.planned[which],
            expected=self.expected[which],
            received=self.received[which],
        )


def numbers_at(
    draw: Draw, holdings: Sequence[Holding], places: np.ndarray, planned_dtype: str
) -> Numbers:
    """Draw, and look at what is held.

    Args:
        draw: the parameter's numbers by the plan.
        holdings: all boxes of it that this process holds, one at least.
        places: ascending, counted through the boxes one after the other.
        planned_dtype: of the plan.
    """
    index, received = _taken(holdings, places)
    planned = np.asarray(draw(index), np.float64)
    return Numbers(
        index=index,
        planned=planned,
        expected=rounded(planned, holdings[0].dtype, planned_dtype),
        received=received,
    )


def rounded(numbers: np.ndarray, dtype: str, of: str = "float64") -> np.ndarray:
    """Round to a dtype and give the result in float64; other dtypes round nothing.

    Args:
        numbers: float64.
        dtype: "float16", "bfloat16", "float32" or "float64".
        of: the dtype that the numbers have, if it is that one nothing is done.

    >>> rounded(np.array([1.0, 1.01171875]), "bfloat16").tolist()
    [1.0, 1.015625]
    """
    if dtype == of:
        return numbers
    if dtype == "bfloat16":
        bits = bfloat16_bits(numbers).astype(np.uint32) << np.uint32(16)
        return bits.view(np.float32).astype(np.float64)
    if dtype in FLOATS:
        with np.errstate(over="ignore", under="ignore"):
            return numbers.astype(dtype).astype(np.float64)
    return numbers


def _taken(
    holdings: Sequence[Holding], places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give the places in the whole parameter, and the numbers held there."""
    indices, numbers = [], []
    first = 0
    for held in holdings:
        left, right = np.searchsorted(places, (first, first + held.region.size))
        if left < right:
            local = places[left:right] - first
            indices.append(_in_whole(held, local))
            numbers.append(np.asarray(held.take(local)).astype(np.float64))
        first += held.region.size
    return np.concatenate(indices), np.concatenate(numbers)


def _in_whole(held: Holding, local: np.ndarray) -> np.ndarray:
    if held.region.shape == held.shape:
        return local
    axes = np.unravel_index(local, held.region.shape)
    shifted = tuple(a + s for a, s in zip(axes, held.region.start, strict=True))
    return np.asarray(np.ravel_multi_index(shifted, held.shape), np.int64)
