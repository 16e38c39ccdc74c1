"""Lists on the command line: names, numbers, how many seeds."""

from __future__ import annotations

import argparse
import re

BETWEEN = re.compile(r",\s*(?![^()]*\))")
"""A comma that stands outside parentheses: "normal(std=1),uniform(bound=2)"."""


def names(text: str) -> tuple[str, ...]:
    """Read ``a,b``; commas inside parentheses belong to a name.

    >>> names("he_normal, he_normal(gain=1, mode=fan_out)")
    ('he_normal', 'he_normal(gain=1, mode=fan_out)')
    """
    return tuple(part.strip() for part in BETWEEN.split(text) if part.strip())


def numbers(text: str) -> tuple[float, ...]:
    """Read ``0.1,0.01``.

    >>> numbers("0.1,1e-3")
    (0.1, 0.001)
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        message = f"numbers with commas between them, as in 0.1,0.01, not {text!r}"
        raise argparse.ArgumentTypeError(message) from None


def counts(text: str) -> tuple[int, ...]:
    """Read ``3`` as (0, 1, 2), ``4,7`` as it stands.

    >>> counts("3"), counts("4,7")
    ((0, 1, 2), (4, 7))
    """
    try:
        parts = tuple(int(part) for part in text.split(","))
    except ValueError:
        message = f"a count, or whole numbers with commas between them, not {text!r}"
        raise argparse.ArgumentTypeError(message) from None
    return parts if len(parts) > 1 else tuple(range(parts[0]))


def sizes(text: str) -> int | tuple[int, ...]:
    """Read ``20`` as 20, ``10,20`` as both.

    >>> sizes("20"), sizes("10,20")
    (20, (10, 20))
    """
    try:
        parts = tuple(int(part) for part in text.split(","))
    except ValueError:
        message = f"a whole number, or several with commas between, not {text!r}"
        raise argparse.ArgumentTypeError(message) from None
    return parts if len(parts) > 1 else parts[0]


def kinds(text: str) -> str | tuple[str, ...]:
    """Read ``adam`` as it stands, ``sgd,adam`` as both.

    >>> kinds("adam"), kinds("sgd, adam")
    ('adam', ('sgd', 'adam'))
    """
    found = names(text)
    return found if len(found) != 1 else found[0]
