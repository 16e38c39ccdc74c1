"""A parameter that does not look as its role demands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """What is wrong, in words and in numbers.

    paths: the parameters concerned, all alike. value, interval: the quantity that was
    looked at, and where it should lie. is_note: worth knowing, and no fault.
    is_mended: a draw by fanin's plan puts it right.
    """

    paths: tuple[str, ...]
    message: str
    measured: str
    expected: str
    why: str
    fix: str
    value: float
    interval: tuple[float, float]
    is_note: bool = False
    is_mended: bool = True
