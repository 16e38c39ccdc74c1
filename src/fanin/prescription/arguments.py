"""Arguments as they are given: their kinds, checked before anything is decided."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import SupportsIndex

from fanin.errors import ArgumentError

LARGEST_SEED = 2**64 - 1
Patterns = str | Sequence[str]
"""A path or glob, or several."""


def require_seed(argument: str, seed: object) -> int:
    """Give a seed as a plain whole number.

    Raises:
        ArgumentError: if it is none from 0 to 2⁶⁴ − 1.

    >>> require_seed("seed", 7)
    7
    """
    number = -1
    if isinstance(seed, SupportsIndex) and not isinstance(seed, bool):
        number = operator.index(seed)
    if not 0 <= number <= LARGEST_SEED:
        expected = "a whole number from 0 to 2⁶⁴−1"
        raise ArgumentError.of(argument, received=seed, expected=expected)
    return number


def require_seeds(seeds: object) -> dict[str, int]:
    """Give seeds by pattern.

    Raises:
        ArgumentError: if they are no such mapping.
    """
    given = _mapping("seeds", seeds, "pattern of paths → seed")
    return {key: require_seed(f"seeds[{key!r}]", seed) for key, seed in given.items()}


def require_specs(overrides: object) -> dict[str, str]:
    """Give specs by pattern.

    Raises:
        ArgumentError: if they are no such mapping.
    """
    what = "pattern of paths → scheme, or 'keep'"
    specs: dict[str, str] = {}
    for pattern, spec in _mapping("overrides", overrides, what).items():
        if not isinstance(spec, str):
            argument, expected = f"overrides[{pattern!r}]", "a scheme, or 'keep'"
            raise ArgumentError.of(argument, received=spec, expected=expected)
        specs[pattern] = spec
    return specs


def require_patterns(patterns: object) -> list[str]:
    """Give one pattern or several as a list.

    Raises:
        ArgumentError: if they are anything else.

    >>> require_patterns("head.*"), require_patterns(("a", "b"))
    (['head.*'], ['a', 'b'])
    """
    if isinstance(patterns, str):
        return [patterns]
    given = list(patterns) if isinstance(patterns, Sequence | set | frozenset) else [0]
    listed = [pattern for pattern in given if isinstance(pattern, str)]
    if len(listed) < len(given):
        argument, expected = "only, skip", "a path or glob, or a sequence of them"
        raise ArgumentError.of(argument, received=patterns, expected=expected)
    return listed


def _mapping(argument: str, given: object, what: str) -> dict[str, object]:
    found = dict(given) if isinstance(given, Mapping) else {}
    if not isinstance(given, Mapping) or not all(isinstance(k, str) for k in found):
        expected = f"a mapping: {what}"
        raise ArgumentError.of(argument, received=given, expected=expected)
    return found
