"""Pairs of entries of one unit: by sample, and by how far apart their positions are.

Everything that averages (pooling, batch normalization, attention, a mean over the
batch) needs more than one entry's second moment. Two entries of one unit may belong to
one sample or to two, and lie at one position or some lags apart. Each such class has a
product E[x·y]; weights that do not depend on x act on all classes in one way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_LAGS = 2**16
"""Positions of one map whose lags are kept apart; of more, only same and different."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """What is known of two entries of one unit, by class.

    The arrays have shape (2, *lags): first one sample, then two samples; then, for each
    axis of positions, the lag between them. An axis of two lags and more positions
    holds "same" and "different" alone. ``[0, 0, …]`` is an entry with itself.

    n_samples, n_units: counts; units are independent given what came before.
    lengths: positions along each axis. products: E[x·y]. squares: E[x²y²]/q² − 1 within
    one draw. spread: covariance, over draws of earlier weights, of ln q at the two.
    profile: q at each position over the mean of q, in the shape of ``lengths`` or one
    that broadcasts to it; None where every position has the same.
    """

    n_samples: int
    n_units: float
    lengths: tuple[int, ...]
    products: np.ndarray
    squares: np.ndarray
    spread: np.ndarray
    profile: np.ndarray | None = None

    @property
    def itself(self) -> tuple[int, ...]:
        """Give the index of an entry with itself."""
        return (0,) * self.products.ndim

    @property
    def shares(self) -> np.ndarray:
        """Give how often two entries drawn at random fall into each class: sum 1."""
        samples = 1.0 / self.n_samples
        found = np.array([samples, 1.0 - samples])
        return np.asarray(np.multiply.outer(found, self.lag_shares))

    @property
    def lag_shares(self) -> np.ndarray:
        """Give the shares of the lags, for positions drawn at random: sum 1."""
        found = np.ones(())
        for length, size in zip(self.lengths, self.products.shape[1:], strict=True):
            found = np.multiply.outer(found, shares_of(length, size))
        return found

    def average(self, numbers: np.ndarray) -> float:
        """Average over all pairs of entries, an entry with itself among them."""
        return float((self.shares * numbers).sum())

    @property
    def between_samples(self) -> float:
        """E[x·y] at one position of two samples."""
        return float(self.products[(1, *self.itself[1:])])

    @property
    def between_positions(self) -> float:
        """E[x·y] at two positions of one sample, averaged; q where there is but one."""
        others = self.lag_shares
        others.flat[0] = 0.0
        total = float(others.sum())
        if total <= 0.0:
            return float(self.products[self.itself])
        return float((others * self.products[0]).sum()) / total

    def collapsed(self, lengths: tuple[int, ...]) -> Pairs:
        """Lay the positions out along other axes, their lags forgotten."""

        def two(numbers: np.ndarray) -> np.ndarray:
            shares = self.lag_shares
            shares.flat[0] = 0.0
            total = shares.sum()
            alike = at_one(numbers)
            apart = (numbers * shares).reshape(2, -1).sum(axis=1)
            apart = apart / total if total > 0 else alike
            return spread_out(alike, apart, lengths)

        return replace(
            self,
            lengths=lengths,
            products=two(self.products),
            squares=two(self.squares),
            spread=two(self.spread),
            profile=None,
        )

    def fitted(self, lengths: tuple[int, ...], sizes: tuple[int, ...]) -> Pairs:
        """Give the same over these lengths and with so many lags along each axis."""
        found = self if self.lengths == lengths else self.collapsed(lengths)
        for axis, size in enumerate(sizes):
            have = found.products.shape[axis + 1]
            if have == size:
                continue
            if have > size:  # lags are known on one side only
                return self.collapsed(lengths).fitted(lengths, sizes)
            found = found.along(axis, partial(stretched, n_lags=size))
        return found

    def along(self, axis: int, change: Change, length: int | None = None) -> Pairs:
        """Change all three arrays along one axis of positions, lags first."""

        def changed(numbers: np.ndarray) -> np.ndarray:
            moved = np.moveaxis(numbers, axis + 1, 0)
            return np.moveaxis(change(moved), 0, axis + 1)

        lengths = list(self.lengths)
        lengths[axis] = lengths[axis] if length is None else length
        return replace(
            self,
            lengths=tuple(lengths),
            products=changed(self.products),
            squares=changed(self.squares),
            spread=changed(self.spread),
        )

    def at_one_position(self) -> Pairs:
        """Keep pairs at one position only, as where one token is picked."""
        return replace(
            self,
            lengths=(),
            products=at_one(self.products),
            squares=at_one(self.squares),
            spread=at_one(self.spread),
            profile=None,
        )

    def laid_side_by_side(self) -> Pairs:
        """Make units of positions, as flattening does; those of one unit vary alike."""
        shares = self.lag_shares
        axes = tuple(range(1, self.products.ndim))
        one = self.at_one_position()
        return replace(
            one,
            squares=(self.squares * shares).sum(axis=axes),
            spread=(self.spread * shares).sum(axis=axes),
        )


if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[np.ndarray], np.ndarray]


def shares_of(length: int, n_lags: int) -> np.ndarray:
    """Give how often two of ``length`` positions drawn at random lie 0, 1, … apart.

    >>> shares_of(3, 3).round(4).tolist()
    [0.3333, 0.4444, 0.2222]
    >>> shares_of(4, 2).tolist()
    [0.25, 0.75]
    """
    if n_lags == length:
        lags = np.arange(length)
        counts = np.where(lags > 0, 2.0, 1.0) * (length - lags)
        return np.asarray(counts / length**2)
    if n_lags == 1:
        return np.ones(1)
    return np.array([1.0 / length, 1.0 - 1.0 / length])


def spread_out(
    same: np.ndarray, different: np.ndarray, lengths: Sequence[int]
) -> np.ndarray:
    """Give (2, *lags) from the numbers of equal and of different positions."""
    lags = tuple(min(length, 2) for length in lengths)
    found = np.empty((2, *lags))
    found[...] = different.reshape(2, *(1,) * len(lags))
    found.reshape(2, -1)[:, 0] = same
    return found


def at_one(numbers: np.ndarray) -> np.ndarray:
    """Give the two numbers, of one sample and of two, at one position.

    >>> at_one(np.arange(8).reshape(2, 2, 2)).tolist()
    [0, 4]
    """
    return np.asarray(numbers.reshape(2, -1)[:, 0])


def stretched(numbers: np.ndarray, n_lags: int) -> np.ndarray:
    """Repeat the last lag along the first axis, up to so many."""
    missing = n_lags - numbers.shape[0]
    return np.concatenate([numbers, np.repeat(numbers[-1:], missing, axis=0)])


def lag_counts(lengths: Sequence[int]) -> tuple[int, ...]:
    """Give how many lags are kept along each axis.

    >>> lag_counts((8, 8)), lag_counts((1000, 1000))
    ((8, 8), (2, 2))
    """
    if prod(lengths) <= MOST_LAGS:
        return tuple(lengths)
    return tuple(min(length, 2) for length in lengths)


def independent(
    *,
    mean: float,
    second_moment: float,
    n_samples: int,
    n_units: float,
    lengths: tuple[int, ...],
    kurtosis: float = 1.0,
) -> Pairs:
    """Give pairs of a tensor whose entries have nothing in common but their mean.

    >>> pairs = independent(
    ...     mean=0.5, second_moment=1.0, n_samples=4, n_units=3, lengths=(2,)
    ... )
    >>> pairs.products.tolist(), pairs.average(pairs.products)
    ([[1.0, 0.25], [0.25, 0.25]], 0.34375)
    """
    products = np.full((2, *lag_counts(lengths)), mean**2)
    squares = np.zeros_like(products)
    itself = (0,) * products.ndim
    products[itself] = second_moment
    squares[itself] = kurtosis - 1.0
    return Pairs(
        n_samples=n_samples,
        n_units=n_units,
        lengths=lengths,
        products=products,
        squares=squares,
        spread=np.zeros_like(products),
    )


def gaussian_squares(products: np.ndarray, mean: float) -> np.ndarray:
    """Give E[x²y²]/q² − 1 = (2c² + 4m²c)/q² of Gaussians of covariance c, by Wick.

    >>> float(gaussian_squares(np.array([[1.0]]), 0.0)[0, 0])
    2.0
    """
    q = float(products.flat[0])
    if q <= 0.0:
        return np.zeros_like(products)
    covariance = (products - mean**2) / q
    return np.asarray(2.0 * covariance**2 + 4.0 * (mean**2 / q) * covariance)
