"""Numbers of an experiment as Python's own, whatever kind they came in."""

from __future__ import annotations

import math
import numbers
import operator
from typing import TYPE_CHECKING, Any

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 2**63 - 1  # a store keeps whole numbers in 64 bits


def count(name: str, value: object) -> int:
    """Give a count of at least 1.

    Raises:
        ArgumentError: if it is something else.
    """
    return _whole(name, value, least=1, expected="a whole number of at least 1")


def seed(name: str, value: object) -> int:
    """Give a seed, from 0 to 2**63 - 1.

    Raises:
        ArgumentError: if it is something else.

    >>> import numpy as np
    >>> seed("seeds", np.int64(3))
    3
    """
    return _whole(name, value, least=0, expected="a whole number from 0 to 2**63 - 1")


def rate(name: str, value: object) -> float:
    """Give a finite number above 0.

    Raises:
        ArgumentError: if it is something else.
    """
    number = _real(value)
    if not 0 < number < math.inf:
        raise ArgumentError.of(name, value, expected="numbers above 0")
    return number


def share(name: str, value: object) -> float:
    """Give a share, at least 0 and below 1.

    Raises:
        ArgumentError: if it is something else.
    """
    number = _real(value)
    if not 0 <= number < 1:
        raise ArgumentError.of(name, value, expected="a share, at least 0 and below 1")
    return number


KINDS: dict[str, Callable[[str, object], Any]] = {
    "depth": count,
    "width": count,
    "n_steps": count,
    "batch_size": count,
    "seeds": seed,
    "split_seed": seed,
    "learning_rates": rate,
    "valid_share": share,
}
"""How each field of an experiment that holds numbers is read."""


def plain(name: str, value: object) -> Any:  # noqa: ANN401 (of the field's kind)
    """Give a field's number, or each of a tuple, as Python's own.

    Raises:
        ArgumentError: if one is out of range, or no number.
    """
    read = KINDS[name]
    if isinstance(value, tuple):
        return tuple(read(name, each) for each in value)
    return read(name, value)


def _whole(name: str, value: Any, *, least: int, expected: str) -> int:  # noqa: ANN401
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number <= LARGEST:
        raise ArgumentError.of(name, value, expected=expected)
    return number


def _real(value: object) -> float:
    """Give a number as a float, NaN for what is none."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return float(value) if is_number else math.nan  # type: ignore[arg-type]
