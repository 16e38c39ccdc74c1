"""What an engine is: a way to apply one function to many things, elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

MOST_TRIES = 3  # of a piece of work whose process is lost on the way


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Work that never came back: its process ended, time after time.

    place: of the item in what was asked. reason: what the engine says.
    """

    place: int
    reason: str


Engine = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]
"""Yields function(item) for each item, in the order in which they are done; `Lost` for
one whose process ended ``MOST_TRIES`` times. The function must not raise. A generator
that is closed early stops what runs."""


def n_cores() -> int:
    """Give the cores that this process may use: a count."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
