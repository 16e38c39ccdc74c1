"""What a draw may be asked for: shapes, and laws that a dtype can hold."""

from __future__ import annotations

import operator
from math import prod
from typing import TYPE_CHECKING, Final, SupportsIndex

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.sampler.law import Law

MOST_ELEMENTS: Final = 2**63
LARGEST_FLOAT16: Final = 65504.0
LARGEST_NORMAL: Final = 6.5
"""No float32 normal is larger, in units of its std: the table ends at 6.24."""


def lengths_of(shape: Sequence[SupportsIndex]) -> tuple[int, ...]:
    """Read a shape.

    Raises:
        ArgumentError: if it is none, or has more than 2⁶³ elements.
    """
    try:
        lengths = tuple(operator.index(length) for length in shape)
    except TypeError:
        lengths = (-1,)
    if any(length < 0 for length in lengths) or prod(lengths) > MOST_ELEMENTS:
        expected = "a sequence of whole numbers from 0 on, their product at most 2⁶³"
        raise ArgumentError.of(argument="shape", received=shape, expected=expected)
    return lengths


def require_range(law: Law, dtype: str, times: float = 1.0) -> None:
    """Refuse a law whose numbers the dtype cannot hold.

    Args:
        law: what is drawn from.
        dtype: its name.
        times: what the numbers are multiplied with.

    Raises:
        ArgumentError: if one could be too large.
    """
    if dtype == "float64":
        return
    if law.kind in {"normal", "truncated_normal"}:
        largest = LARGEST_NORMAL * (law.std or 0.0)
    elif law.kind == "uniform":
        largest = law.half_width
    else:
        largest = abs(law.value or 0.0) if law.kind == "constant" else abs(law.factor)
    limit = LARGEST_FLOAT16 if dtype == "float16" else 3.38e38
    if largest * abs(times) > limit:
        expected = f"a law whose numbers {dtype} can hold (up to {limit})"
        raise ArgumentError.of(argument="law", received=law, expected=expected)
