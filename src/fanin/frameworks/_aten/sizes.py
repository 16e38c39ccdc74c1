"""Statistics of a large tensor without a large copy of it.

Means, squares and the spread between samples are sums over all entries in float64, a
piece at a time; extremes are exact. Means and variances of single units are taken from
some of the positions and samples, whose number bounds the error: of a variance from n
independent entries, √(2/n). Of gradients the size alone is wanted, to about 1e-6: in
float32 a piece's squares are summed in float32, where none under- or overflows.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from fanin.graph.measurement import SiteStatistics
from fanin.graph.statistics import (
    evenly_spaced,
    share_subnormal,
    statistics_of,
    unit_moments,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_EXACT: Final = 1 << 16
"""Entries up to which everything is computed from all of them, in float64."""
PIECE: Final = 1 << 16
"""Entries that are widened to float64 at a time."""
SAFE: Final = 1e-20
"""A piece's sum of squares above it, and below its inverse, is summed in float32."""
LEAST_ROWS: Final = 16
"""Entries that a unit's statistics are taken from, at least, where it has so many."""


def site_of(
    tensor: torch.Tensor,
    *,
    unit_axis: int | None,
    batch_axis: int | None,
    is_view: bool = False,
) -> SiteStatistics:
    """Compute the statistics of one node's output.

    Args:
        tensor: any shape and type.
        unit_axis: of the tensor; None where it has none.
        batch_axis: of the tensor; None where it has none.
        is_view: it holds another node's numbers in another order, so that some of
            them are enough.

    >>> tensor = torch.arange(6.0).reshape(3, 2)
    >>> found = site_of(tensor, unit_axis=1, batch_axis=0)
    >>> found.mean, found.unit_means.tolist()
    (2.5, [2.0, 3.0])
    """
    held = real(tensor)
    dtype = str(held.dtype).removeprefix("torch.")
    if held.numel() <= MOST_EXACT or held.layout is not torch.strided:
        numbers = as_float64(held)
        return statistics_of(
            numbers, unit_axis=unit_axis, batch_axis=batch_axis, dtype=dtype
        )
    part = as_float64(_some(held, unit_axis, batch_axis))
    if is_view:
        return statistics_of(
            part, unit_axis=unit_axis, batch_axis=batch_axis, dtype=dtype
        )
    means, variances = unit_moments(part, unit_axis)
    least, greatest = _extremes(held, unit_axis)
    mean, second_moment, between = _sums(held, batch_axis)
    has_units = unit_axis is not None
    return SiteStatistics(
        mean=mean,
        second_moment=second_moment,
        maximum=float(max(np.abs(least).max(), np.abs(greatest).max())),
        between_samples=between,
        is_finite=bool(np.isfinite(least).all() and np.isfinite(greatest).all()),
        unit_means=means,
        unit_variances=variances,
        unit_minima=least if has_units else np.zeros(0),
        unit_maxima=greatest if has_units else np.zeros(0),
        sample=evenly_spaced(part),
        share_subnormal=share_subnormal(part, dtype),
    )


def real(tensor: torch.Tensor) -> torch.Tensor:
    """Give a tensor without its history; of a complex one the real part."""
    held = tensor.detach()
    return held.real if held.is_complex() else held


def as_float64(tensor: torch.Tensor) -> np.ndarray:
    """Copy a tensor's numbers out in float64, where every narrower one is exact."""
    numbers: np.ndarray = real(tensor).to("cpu", torch.float64).numpy()
    return numbers


def moments(tensor: torch.Tensor) -> tuple[float, float]:
    """Give mean and mean square over all entries, summed in float64.

    >>> moments(torch.tensor([1.0, 3.0]))
    (2.0, 5.0)
    """
    totals, squares = [], []
    for piece in _pieces(real(tensor)):
        wide = piece.to(torch.float64)
        totals.append(float(wide.sum()))
        squares.append(_dot(wide, wide))
    count = max(tensor.numel(), 1)
    return sum(totals) / count, sum(squares) / count


def mean_square(tensor: torch.Tensor) -> float:
    """Give the mean square over all entries, to about 1e-6 of it.

    >>> small = mean_square(torch.full((9,), 1e-30))
    >>> mean_square(torch.tensor([1.0, 3.0])), f"{small:.3g}"
    (5.0, '1e-60')
    """
    total = sum(squared(piece) for piece in _pieces(real(tensor)))
    return total / max(tensor.numel(), 1)


def squared(piece: torch.Tensor) -> float:
    """Give the sum of the squares of a flat piece's entries.

    In float32 as long as the sum lies far inside of what float32 holds: what then is
    lost of single squares is less than 1e-13 of it.
    """
    if piece.dtype is torch.float32:
        near = _dot(piece, piece)
        if SAFE < near < 1.0 / SAFE:
            return near
    wide = piece.to(torch.float64)
    return _dot(wide, wide)


def _sums(tensor: torch.Tensor, axis: int | None) -> tuple[float, float, float]:
    """Give mean, mean square, and the entries' mean variance along an axis.

    The variance is that of differences from the first sample, so that samples that are
    equal have none.
    """
    if axis is None:
        return (*moments(tensor), 0.0)
    first = tensor.narrow(axis, 0, 1).to(torch.float64)
    n_samples = tensor.shape[axis]
    at_once = max(1, PIECE // first.numel())
    apart = torch.zeros_like(first)
    square = 0.0
    for start in range(0, n_samples, at_once):
        length = min(at_once, n_samples - start)
        wide = tensor.narrow(axis, start, length).to(torch.float64, copy=True)
        wide = wide.contiguous().sub_(first)
        apart += wide.sum(axis, keepdim=True)
        square += _dot(wide, wide)
    # With d = x − x₀: Σx = Σd + n·Σx₀ and Σx² = Σd² + 2·Σx₀·(Σd over samples) + n·Σx₀².
    count = tensor.numel()
    total = float(apart.sum()) + n_samples * float(first.sum())
    squares = square + 2.0 * _dot(first, apart) + n_samples * _dot(first, first)
    between = (square - _dot(apart, apart) / n_samples) / count
    return total / count, max(squares, 0.0) / count, max(between, 0.0)


def _dot(first: torch.Tensor, second: torch.Tensor) -> float:
    return float(torch.dot(first.reshape(-1), second.reshape(-1)))


def _pieces(tensor: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield all entries in flat pieces, in any order, without a copy of the whole."""
    order = sorted(range(tensor.dim()), key=tensor.stride, reverse=True)
    inner = tensor.permute(order)
    if inner.is_contiguous():
        yield from torch.split(inner.view(-1), PIECE)
    elif tensor.dim() > 1 and tensor.numel() > PIECE:
        for part in inner:
            yield from _pieces(part)
    else:
        yield inner.reshape(-1)


def _extremes(
    tensor: torch.Tensor, unit_axis: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Give the least and the greatest of each unit, or of all where there is none."""
    others = [a for a in range(tensor.dim()) if unit_axis is None or a != unit_axis]
    if tensor.dtype is torch.bool:
        tensor = tensor.to(torch.uint8)
    if not others:
        return as_float64(tensor), as_float64(tensor)
    return (
        as_float64(tensor.amin(dim=others)).reshape(-1),
        as_float64(tensor.amax(dim=others)).reshape(-1),
    )


def _some(
    tensor: torch.Tensor, unit_axis: int | None, batch_axis: int | None
) -> torch.Tensor:
    """Give all units at some positions of some samples, in the same order of axes.

    Every axis but that of the units keeps some of its indices; that of the samples as
    many as there is room for.
    """
    n_units = 1 if unit_axis is None else tensor.shape[unit_axis]
    room = max(MOST_EXACT // n_units, LEAST_ROWS)
    axes = [a for a in range(tensor.dim()) if a not in (unit_axis, batch_axis)]
    if batch_axis is not None and batch_axis != unit_axis:
        length = min(tensor.shape[batch_axis], room)
        tensor = _thinned(tensor, batch_axis, length)
        room //= length
    for place, axis in enumerate(axes):
        left = prod(tensor.shape[a] for a in axes[place + 1 :])
        whole = tensor.shape[axis] * left
        share = min(1.0, max(room, 1) / whole)
        share **= 1.0 / (len(axes) - place)
        length = max(1, min(tensor.shape[axis], round(share * tensor.shape[axis])))
        tensor = _thinned(tensor, axis, length)
        room = max(room // length, 1)
    return tensor


def _thinned(tensor: torch.Tensor, axis: int, length: int) -> torch.Tensor:
    """Keep so many indices of an axis: one in each of as many equal stretches.

    Where in its stretch an index lies goes through all places (the golden ratio's
    multiples), so that no pattern along the axis is met at one phase alone.
    """
    whole = tensor.shape[axis]
    if length >= whole:
        return tensor
    stretch = whole / length
    places = np.arange(length) * stretch
    places += stretch * np.mod(np.arange(length) * GOLDEN, 1.0)
    indices = torch.from_numpy(np.floor(places).astype(np.int64)).to(tensor.device)
    return tensor.index_select(axis, indices)


GOLDEN: Final = (5**0.5 - 1) / 2
