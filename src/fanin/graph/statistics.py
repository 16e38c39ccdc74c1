"""A tensor's statistics over a batch, in float64: what a measurement keeps of it."""

from __future__ import annotations

import numpy as np

from fanin.graph.measurement import SiteStatistics

SAMPLE_SIZE = 4096
"""Entries kept for histograms."""

SMALLEST_NORMAL = {"float16": 2.0**-14, "float64": 2.0**-1022}
"""Below it a number loses digits; 2⁻¹²⁶ for float32 and bfloat16."""


def statistics_of(
    values: np.ndarray,
    *,
    unit_axis: int | None,
    batch_axis: int | None,
    gradient: np.ndarray | None = None,
    dtype: str = "float32",
) -> SiteStatistics:
    """Compute the statistics of one node's output.

    Args:
        values: the output, any shape and any real dtype.
        unit_axis: of ``values``; None where it has none.
        batch_axis: of ``values``; None where it has none.
        gradient: dL/d(output) in the same shape, or None.
        dtype: in which the model computed it; decides what is subnormal.

    >>> values = np.array([[1.0, 2.0], [3.0, 2.0]])
    >>> found = statistics_of(values, unit_axis=1, batch_axis=0)
    >>> found.mean, found.second_moment, found.between_samples
    (2.0, 4.5, 0.5)
    >>> found.unit_means.tolist()
    [2.0, 2.0]
    """
    numbers = np.asarray(values, dtype=np.float64)
    means, variances = unit_moments(numbers, unit_axis)
    minima, maxima = _unit_extremes(numbers, unit_axis)
    size = numbers.size
    return SiteStatistics(
        mean=float(numbers.mean()) if size else 0.0,
        second_moment=float(np.square(numbers).mean()) if size else 0.0,
        maximum=float(np.abs(numbers).max()) if size else 0.0,
        between_samples=_between(numbers, batch_axis),
        is_finite=bool(np.isfinite(numbers).all()),
        unit_means=means,
        unit_variances=variances,
        unit_minima=minima,
        unit_maxima=maxima,
        sample=evenly_spaced(numbers),
        share_subnormal=share_subnormal(numbers, dtype),
        gradient_second_moment=None
        if gradient is None
        else float(np.square(np.asarray(gradient, dtype=np.float64)).mean()),
    )


def moments_of(numbers: np.ndarray | None) -> dict[str, float]:
    """Give mean and second moment over all entries; nothing where they are no numbers.

    >>> moments_of(np.array([1.0, 3.0])), moments_of(None)
    ({'mean': 2.0, 'second_moment': 5.0}, {})
    """
    if numbers is None or numbers.size == 0 or numbers.dtype.kind not in "fiub":
        return {}
    wide = numbers.astype(np.float64)
    if not np.isfinite(wide).all():
        return {}
    return {"mean": float(wide.mean()), "second_moment": float(np.mean(wide**2))}


def _between(numbers: np.ndarray, batch_axis: int | None) -> float:
    if batch_axis is None or numbers.size == 0:
        return 0.0
    return float(numbers.var(axis=batch_axis).mean())


def unit_moments(
    numbers: np.ndarray, unit_axis: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Give each unit's mean and variance, over all other axes; none without units.

    >>> means, variances = unit_moments(np.array([[1.0, 2.0], [3.0, 2.0]]), 1)
    >>> means.tolist(), variances.tolist()
    ([2.0, 2.0], [1.0, 0.0])
    """
    if unit_axis is None or numbers.size == 0:
        return np.zeros(0), np.zeros(0)
    others = _others(numbers, unit_axis)
    means = numbers.mean(axis=others, keepdims=True)
    variances = np.square(numbers - means).mean(axis=others)
    return means.reshape(-1), variances


def _unit_extremes(
    numbers: np.ndarray, unit_axis: int | None
) -> tuple[np.ndarray, np.ndarray]:
    if unit_axis is None or numbers.size == 0:
        return np.zeros(0), np.zeros(0)
    others = _others(numbers, unit_axis)
    return numbers.min(axis=others), numbers.max(axis=others)


def _others(numbers: np.ndarray, unit_axis: int) -> tuple[int, ...]:
    return tuple(a for a in range(numbers.ndim) if a != unit_axis % numbers.ndim)


def evenly_spaced(numbers: np.ndarray) -> np.ndarray:
    """Give entries at equal steps, at most ``SAMPLE_SIZE``."""
    flat = numbers.reshape(-1)
    step = max(1, -(-flat.size // SAMPLE_SIZE))
    return flat[::step].copy()


def share_subnormal(numbers: np.ndarray, dtype: str) -> float:
    """Give the share of the entries that are not 0 and too small for all digits."""
    sizes = np.abs(numbers)
    n_not_zero = int(np.count_nonzero(sizes))
    n_small = int(np.count_nonzero(sizes < SMALLEST_NORMAL.get(dtype, 2.0**-126)))
    n_zero = numbers.size - n_not_zero
    return (n_small - n_zero) / n_not_zero if n_not_zero else 0.0
