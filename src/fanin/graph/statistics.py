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
    rows = _unit_rows(numbers, unit_axis)
    n_units = len(rows)
    size = numbers.size
    return SiteStatistics(
        mean=float(numbers.mean()) if size else 0.0,
        second_moment=float(np.square(numbers).mean()) if size else 0.0,
        maximum=float(np.abs(numbers).max()) if size else 0.0,
        between_samples=_between(numbers, batch_axis),
        is_finite=bool(np.isfinite(numbers).all()),
        unit_means=rows.mean(axis=1) if n_units else np.zeros(0),
        unit_variances=rows.var(axis=1) if n_units else np.zeros(0),
        unit_minima=rows.min(axis=1) if n_units else np.zeros(0),
        unit_maxima=rows.max(axis=1) if n_units else np.zeros(0),
        sample=_evenly_spaced(numbers),
        share_subnormal=_share_subnormal(numbers, dtype),
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


def _unit_rows(numbers: np.ndarray, unit_axis: int | None) -> np.ndarray:
    """Give one row a unit, of all its samples and positions."""
    if unit_axis is None or numbers.size == 0:
        return np.zeros((0, 1))
    return np.moveaxis(numbers, unit_axis, 0).reshape(numbers.shape[unit_axis], -1)


def _between(numbers: np.ndarray, batch_axis: int | None) -> float:
    if batch_axis is None or numbers.size == 0:
        return 0.0
    return float(numbers.var(axis=batch_axis).mean())


def _evenly_spaced(numbers: np.ndarray) -> np.ndarray:
    flat = numbers.reshape(-1)
    step = max(1, -(-flat.size // SAMPLE_SIZE))
    return flat[::step].copy()


def _share_subnormal(numbers: np.ndarray, dtype: str) -> float:
    sizes = np.abs(numbers)
    n_not_zero = int(np.count_nonzero(sizes))
    n_small = int(np.count_nonzero(sizes < SMALLEST_NORMAL.get(dtype, 2.0**-126)))
    n_zero = numbers.size - n_not_zero
    return (n_small - n_zero) / n_not_zero if n_not_zero else 0.0
