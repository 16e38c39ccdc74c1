"""Numbers of a law as Python text: a literal where one is known, else a formula."""

from __future__ import annotations

from typing import Final

from fanin.prescription.code.recipe import rounded
from fanin.sampler.truncation import cut_at

CUT: Final = 2.0
"""Where truncated normal laws are cut, in units of the std before the cut."""


def times(number: str, factor: float) -> str:
    """Give a number, or the name of one, times a factor.

    >>> times("0.5", -2.0), times("std", -2.0), times("std", -1.0)
    ('-1', '-2 * std', '-std')
    """
    try:
        return rounded(float(number) * factor)
    except ValueError:
        return f"-{number}" if factor == -1.0 else f"{rounded(factor)} * {number}"


def parent_std(number: str) -> str:
    """Give the std before the cut, of a truncated normal law with that std after it.

    >>> parent_std("1"), parent_std("std")
    ('1.1368472', '1.1368472 * std')
    """
    return times(number, cut_at(CUT).parent_std(1.0))


def half_widths(number: str) -> tuple[str, str]:
    """Give where a truncated normal law of that std ends, below and above."""
    end = CUT * cut_at(CUT).parent_std(1.0)
    return times(number, -end), times(number, end)
