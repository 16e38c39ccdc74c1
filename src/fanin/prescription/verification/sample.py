"""Which entries of a parameter are looked at: spread over it, the same each time.

The entries are cut into as many stretches as fit the sample, and in each one run of
eight side by side is chosen at random: so a part of the parameter that holds more than
two stretches is met for certain, and a file is read at few places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN: Final = 8
"""Entries side by side."""
PIECE: Final = 1 << 20
"""Entries that are looked at together, where all are."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Which entries of a parameter to look at.

    size: how many at most; None for all. seed: another one gives other places.

    Raises:
        ArgumentError: if the size is neither None nor a whole number from 1 on.

    >>> list(Sample(size=None).places("w", 3))
    [array([0, 1, 2])]
    """

    size: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        is_whole = isinstance(self.size, int) and not isinstance(self.size, bool)
        if self.size is not None and not (is_whole and self.size >= 1):
            expected = "a number of entries from 1 on, or None for all"
            raise ArgumentError.of(
                argument="sample", received=self.size, expected=expected
            )

    def places(self, path: str, n_entries: int) -> Iterator[np.ndarray]:
        """Yield places among the entries, ascending, some at a time."""
        if self.size is not None:
            yield chosen(path, n_entries, self.size, self.seed)
            return
        for first in range(0, n_entries, PIECE):
            yield np.arange(first, min(first + PIECE, n_entries))


def chosen(path: str, n_entries: int, sample: int, seed: int) -> np.ndarray:
    """Give places among ``n_entries``, ascending, all different.

    Args:
        path: of the parameter; another has other places.
        n_entries: that there are.
        sample: how many at most.
        seed: another one gives other places.

    >>> chosen("w", 5, 64, seed=0).tolist()
    [0, 1, 2, 3, 4]
    >>> places = chosen("w", 10_000, 64, seed=0)
    >>> len(places), bool(np.all(np.diff(places) > 0))
    (64, True)
    """
    if n_entries <= sample:
        return np.arange(n_entries)
    from fanin.sampler.key import key_of
    from fanin.sampler.philox import words_in

    run = min(RUN, sample)
    n_runs = sample // run
    edges = n_entries * np.arange(n_runs + 1, dtype=object) // n_runs
    lengths = np.diff(edges).astype(np.int64) - run + 1
    words = words_in(key_of(path, seed=seed), 0, n_runs).astype(np.uint64)
    # A word over 2³² is a share in [0, 1): the run's first entry within its stretch.
    shares = words.astype(np.float64) * 2.0**-32
    firsts = edges[:-1].astype(np.int64) + (shares * lengths).astype(np.int64)
    places: np.ndarray = (firsts[:, None] + np.arange(run)).reshape(-1)
    return places


def power(sample: int, share: float) -> float:
    """Give the probability that entries changed here and there are noticed.

    1 − (1 − share)ⁿ for n entries looked at, each changed with that probability.

    >>> round(power(4096, 0.001), 3)
    0.983
    """
    return 1.0 - (1.0 - share) ** sample
