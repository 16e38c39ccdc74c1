"""Numbers of a law as Python text: a literal where one is known, else a formula."""

from __future__ import annotations

from typing import Final

import numpy as np

from fanin.sampler.truncation import cut_at

DIGITS: Final = 7
"""Of stds and gains: what is left out is below the last bit of float32."""
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
    ('1.136847', '1.136847 * std')
    """
    return times(number, cut_at(CUT).parent_std(1.0))


def half_widths(number: str) -> tuple[str, str]:
    """Give where a truncated normal law of that std ends, below and above."""
    end = CUT * cut_at(CUT).parent_std(1.0)
    return times(number, -end), times(number, end)


def exact(value: float, dtype: str) -> str:
    """Give the shortest text that reads back as the same number of that type.

    >>> exact(0.1, "float32"), exact(1 / 3, "float32"), exact(-2.0, "float32")
    ('0.1', '0.33333334', '-2')
    """
    if dtype == "float64":
        return repr(float(value)).removesuffix(".0")
    return str(np.float32(value)).removesuffix(".0")


def rounded(value: float) -> str:
    """Give a std or a gain to 7 digits.

    >>> rounded(2**-0.5), rounded(0.02)
    ('0.7071068', '0.02')
    """
    return f"{value:.{DIGITS}g}"
