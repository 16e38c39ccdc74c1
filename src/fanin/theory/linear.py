"""Pairs of entries through a weight: dense, convolution, transposed, lookup.

Given x, the outputs of one zero-mean random weight at two places are jointly Gaussian
with covariance n·Var(w)·E[x·y]: the same factor for every pair that meets the same
weights. A convolution slides one window over both places, so places a lag d apart at
the output read places stride·d apart, tap for tap: K′(d) = n·Var(w)·K(stride·d)
whatever the kernel's size. A transposed convolution reads with different taps, which
are independent, unless the lag is a multiple of its stride.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.windows import WindowAxis, entries_read
from fanin.theory.pairs import Pairs, gaussian_squares, independent, spread_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.theory.moments import LinearFacts, Moments


def windowed(x: Moments, pairs: Pairs, windows: Sequence[WindowAxis]) -> Pairs:
    """Move pairs from the input's positions to the output's; products still E[x·y].

    Profiles are convolved with the window: what falls on zero padding is left out.
    Positions that were not known as such are taken as independent.

    Args:
        x: the input.
        pairs: its pairs, over as many axes as there are windows.
        windows: in order of axes.
    """
    lengths = tuple(axis.n_in for axis in windows)
    found = pairs
    if pairs.lengths != lengths and prod(pairs.lengths) == prod(lengths):
        found = pairs.collapsed(lengths)
    elif pairs.lengths != lengths:
        found = independent(
            mean=x.mean,
            second_moment=x.second_moment,
            n_samples=pairs.n_samples,
            n_units=pairs.n_units,
            lengths=lengths,
            kurtosis=x.kurtosis,
        )
    profile = _full(found)
    for i, axis in enumerate(windows):
        found = _along(found, i, axis)
        profile = _summed(profile, i, axis)
    mean = float(profile.mean())
    is_flat = mean <= 0.0 or np.ptp(profile) <= 1e-12 * mean
    return replace(
        found,
        products=found.products * mean,
        profile=None if is_flat else profile / mean,
    )


def _full(pairs: Pairs) -> np.ndarray:
    if pairs.profile is None:
        return np.ones(pairs.lengths)
    return np.broadcast_to(pairs.profile, pairs.lengths)


def _summed(profile: np.ndarray, axis: int, window: WindowAxis) -> np.ndarray:
    """Sum the profile over the taps of each window, over the taps without a border."""
    reads = entries_read(window)
    moved = np.moveaxis(profile, axis, 0)
    padded = np.concatenate([moved, np.zeros_like(moved[:1])])
    total = padded[reads].sum(axis=1) * (window.spread / window.kernel)
    return np.moveaxis(total, 0, axis)


def _along(pairs: Pairs, axis: int, window: WindowAxis) -> Pairs:
    """Take the lags that the output's lags come from, along one axis."""
    n_lags = pairs.products.shape[axis + 1]
    if n_lags != window.n_in or n_lags == 1:  # same and different alone
        return pairs.along(axis, lambda a: a[: min(window.n_out, 2)], window.n_out)
    lags = np.arange(window.n_out) * window.stride
    from_lags = np.minimum(lags // window.spread, n_lags - 1)
    found = pairs.along(axis, lambda a: a[from_lags], window.n_out)
    if window.spread == 1:
        return found
    is_other_tap = lags % window.spread > 0
    shape = [1] * found.products.ndim
    shape[axis + 1] = len(lags)
    keep = np.where(is_other_tap, 0.0, 1.0).reshape(shape)
    return replace(found, products=found.products * keep, spread=found.spread)


def weighted(x: Moments, pairs: Pairs, w: LinearFacts, n_units: float) -> Pairs:
    """Multiply pairs by n·Var(w), add what a mean of the weights and a bias add.

    One draw of n units estimates q with relative covariance squares/n; that joins
    what earlier layers left behind. Where groups read different units, each group has
    its own: it averages out over groups.

    Args:
        x: of the input: its mean.
        pairs: of the input at the output's positions.
        w: of the weight; its n_terms with those of zero padding.
        n_units: of the output.
    """
    common = w.n_terms * w.mean * x.mean
    spread = w.n_terms * (
        w.variance * pairs.products + w.mean**2 * (pairs.products - x.mean**2)
    )
    constant = w.bias_variance + w.bias_mean**2 + 2 * common * w.bias_mean
    products = spread + common**2 + constant
    q = float(products.flat[0])
    share = 1.0 - constant / q if q > 0.0 else 0.0
    mean = common + w.bias_mean
    own = np.maximum(pairs.squares, -0.9) / w.n_units
    squares = gaussian_squares(products, mean) + share**2 * _by_chance(pairs, w.n_terms)
    before = pairs.spread
    if w.n_groups > 1:
        squares = squares + share**2 * own * (1.0 + squares) * n_units / w.n_groups
    else:
        before = before + np.log1p(own)
    profile = pairs.profile
    return replace(
        pairs,
        n_units=n_units,
        products=products,
        squares=squares,
        spread=share**2 * before,
        profile=None if profile is None else share * profile + 1.0 - share,
    )


def _by_chance(pairs: Pairs, n_terms: float) -> np.ndarray:
    """Give 2·Var[Σxᵤyᵤ/n]/q²: two entries of n terms are alike by chance in 1/n.

    Of a batch with any number of samples, no more than n are independent.
    """
    q = float(pairs.products[pairs.itself])
    if q <= 0.0 or n_terms < 1.0:
        return np.zeros_like(pairs.products)
    varies = 1.0 + pairs.squares - (pairs.products / q) ** 2
    found = 2.0 * np.maximum(varies, 0.0) / n_terms
    found[pairs.itself] = 0.0
    return np.asarray(found)


def looked_up(
    entry: Moments, equal: np.ndarray, n_samples: int, n_units: float
) -> Pairs:
    """Give pairs of rows of a random table: equal indices read equal rows.

    E[x·y] = m² + Var·P(equal); E[x²y²] = q² but for equal rows, where it is κ·q².

    Args:
        entry: of an entry of the table.
        equal: "2, n_lags…", how often two indices are the same one, by class.
        n_samples: a count.
        n_units: of the output, a count.
    """
    products = entry.mean**2 + entry.variance * equal
    return Pairs(
        n_samples=n_samples,
        n_units=n_units,
        lengths=(),
        products=products,
        squares=(entry.kurtosis - 1.0) * equal,
        spread=np.zeros_like(products),
    )


def table_of(
    entry: Moments,
    lengths: tuple[int, ...],
    n_units: float,
    *,
    n_samples: int = 1,
    n_rows: int | None = None,
) -> Pairs:
    """Give pairs of a table that every sample shares: rows differ, samples do not.

    With ``n_rows`` it is one of indices drawn evenly, and samples differ too.
    """
    chance = 0.0 if n_rows is None else 1.0 / n_rows
    between = 1.0 if n_rows is None else chance
    same = np.array([1.0, between])
    equal = spread_out(same, np.array([chance, chance]), lengths)
    pairs = looked_up(entry, equal, n_samples, n_units)
    return replace(pairs, lengths=lengths)


def n_positions(pairs: Pairs) -> int:
    """Give how many positions one sample has: a count."""
    return prod(pairs.lengths)
