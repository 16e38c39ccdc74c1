"""Pairs of entries through pooling: means and maxima over windows or whole maps."""

from __future__ import annotations

from dataclasses import replace
from math import prod, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.theory.gaussian import gaussian_rule
from fanin.theory.pairs import Pairs, gaussian_squares
from fanin.theory.pooling import density_of_maximum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.graph import ScalarFunction
    from fanin.graph.windows import WindowAxis
    from fanin.theory.moments import Moments

COMMON: Final = np.polynomial.hermite_e.hermegauss(48)
"""Nodes over what the entries of a window have in common."""


def window_means(
    pairs: Pairs, windows: Sequence[WindowAxis] | None, lengths: tuple[int, ...], k: int
) -> Pairs:
    """Average each class over the pairs of entries of two windows.

    K′(d) = Σ K(|stride·d + i − j|)/k² over the taps i, j of one axis and of all.

    Args:
        pairs: before pooling.
        windows: an axis each; None where only their size is known.
        lengths: positions after pooling; () where all are pooled into one.
        k: entries in one window.
    """
    if not lengths:
        return _whole(pairs)
    if windows is None or pairs.lengths != tuple(axis.n_in for axis in windows):
        return _blocks(pairs.collapsed(pairs.lengths), lengths, k)
    found = pairs
    for i, axis in enumerate(windows):
        found = _axis_means(found, i, axis)
    return replace(found, profile=None)


def _whole(pairs: Pairs) -> Pairs:
    shares, axes = pairs.lag_shares, tuple(range(1, pairs.products.ndim))
    one = pairs.at_one_position()
    products, squares, spread = (
        (numbers * shares).sum(axis=axes)
        for numbers in (pairs.products, pairs.squares, pairs.spread)
    )
    return replace(one, products=products, squares=squares, spread=spread)


def _blocks(pairs: Pairs, lengths: tuple[int, ...], k: int) -> Pairs:
    """Average over k positions of which only "same" and "different" is known."""

    def pooled(numbers: np.ndarray) -> np.ndarray:
        flat = numbers.reshape(2, -1)
        same = (flat[:, 0] + (k - 1) * flat[:, -1]) / k
        found = np.empty((2, *(min(n, 2) for n in lengths)))
        found[...] = flat[:, -1].reshape(2, *(1,) * len(lengths))
        found.reshape(2, -1)[:, 0] = same
        return found

    return replace(
        pairs,
        lengths=lengths,
        products=pooled(pairs.products),
        squares=pooled(pairs.squares),
        spread=pooled(pairs.spread),
        profile=None,
    )


def _axis_means(pairs: Pairs, axis: int, window: WindowAxis) -> Pairs:
    taps = np.arange(window.kernel) * window.dilation
    steps, counts = np.unique(taps[:, None] - taps[None, :], return_counts=True)
    weights = counts / counts.sum()
    n_lags = pairs.products.shape[axis + 1]
    starts = np.arange(min(window.n_out, n_lags)) * window.stride
    lags = np.minimum(np.abs(starts[:, None] + steps[None, :]), n_lags - 1)
    if n_lags != window.n_in:  # same and different alone
        lags = np.where((steps == 0) & (starts[:, None] == 0), 0, n_lags - 1)

    def pooled(numbers: np.ndarray) -> np.ndarray:
        return np.asarray(np.einsum("ij...,j->i...", numbers[lags], weights))

    return pairs.along(axis, pooled, window.n_out)


def mean_pooled(x: Moments, pairs: Pairs, means: Pairs, factor: float) -> Moments:
    """Give the moments of ``factor`` times the mean over windows.

    A mean of k independent entries has 1/k of their excess over a Gaussian's fourth
    moment, one of equal entries has all.

    Args:
        x: before pooling.
        pairs: before pooling.
        means: what `window_means` gave.
        factor: 1, or the number of entries for a sum.
    """
    centred = means.products - x.mean**2
    share = min(max(float(centred.flat[0]) / x.variance, 0.0), 1.0) if x.variance else 1
    gaussian = gaussian_squares(means.products, x.mean)
    excess = float(pairs.squares.flat[0])
    excess -= float(gaussian_squares(pairs.products, x.mean).flat[0])
    full = float(gaussian.flat[0]) or 1.0
    squares = gaussian * (1.0 + excess * share / full)
    found = replace(means, products=factor**2 * means.products, squares=squares)
    return replace(
        x,
        mean=factor * x.mean,
        second_moment=float(found.products[found.itself]),
        kurtosis=float(squares.flat[0]) + 1.0,
        log_variance=float(found.spread[found.itself]),
        pairs=found,
    )


def max_pooled(
    before: Moments, means: Pairs, k: int, function: ScalarFunction
) -> Moments:
    """Give the moments of f(max zᵢ) over windows of k correlated Gaussians.

    The k entries are taken to have one correlation ρ, that of the window's mean:
    zᵢ = √ρ·g + √(1−ρ)·eᵢ, so max zᵢ = √ρ·g + √(1−ρ)·max eᵢ. Two windows' maxima are
    taken to correlate as their means do.

    Args:
        before: of the Gaussian that f acts on.
        means: its pairs, averaged over windows.
        k: entries in one window.
        function: f, which rises, or the identity.
    """
    centred = means.products - before.mean**2
    own = float(centred.flat[0])
    alike = own / before.variance if before.variance > 0.0 else 1.0
    rho = min(max((k * alike - 1.0) / max(k - 1, 1), 0.0), 1.0)
    mean, q, fourth = _expected(before, k, rho, function)
    correlation = (
        np.clip(centred / own, -1.0, 1.0) if own > 0 else np.ones_like(centred)
    )
    products = mean**2 + (q - mean**2) * correlation
    squares = np.zeros_like(products)
    if q > 0.0:
        gaussian = gaussian_squares(products, mean)
        squares = gaussian * (fourth / q**2 - 1.0) / (float(gaussian.flat[0]) or 1.0)
    found = replace(means, products=products, squares=squares)
    return replace(
        before,
        mean=mean,
        second_moment=q,
        kurtosis=fourth / q**2 if q > 0.0 else 0.0,
        log_variance=float(found.spread[found.itself]),
        pairs=found,
    )


def _expected(
    before: Moments, k: int, rho: float, function: ScalarFunction
) -> tuple[float, float, float]:
    """E of f(max z), its square and its fourth power."""
    rule = gaussian_rule(function, mean=before.mean, variance=before.variance)
    density = density_of_maximum(rule.z, k) * rule.weights
    if rho < 1e-9:
        values, weights = rule.values[None, :], np.ones(1)
    else:
        g, weights = COMMON
        weights = weights / weights.sum()
        z = sqrt(rho) * g[:, None] + sqrt(1.0 - rho) * rule.z[None, :]
        values = np.asarray(function(before.mean + sqrt(before.variance) * z))
    found = [float(weights @ (values**power @ density)) for power in (1, 2, 4)]
    return found[0], found[1], found[2]


def n_in_window(windows: Sequence[WindowAxis]) -> int:
    """Give how many entries one window holds."""
    return prod(axis.kernel for axis in windows)
