"""The windows of a convolution or of pooling, and how many terms fall on padding."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class WindowAxis:
    """One spatial axis of a convolution or a pooling, as JAX describes it.

    axis: where it lies in the input's and the output's shape. n_in, n_out: lengths of
    input and output. kernel: taps. stride: of the window. low: padding before the first
    entry (negative: entries cut off). dilation: steps between taps. spread: steps
    between input entries (a transposed convolution's stride).
    """

    axis: int = 0
    n_in: int
    n_out: int
    kernel: int
    stride: int = 1
    low: int = 0
    dilation: int = 1
    spread: int = 1


def padding_share(axes: Sequence[WindowAxis]) -> float:
    """Give the share of a window's terms that padding leaves out, averaged.

    A window has ``kernel / spread`` terms on average where there is no border. A term
    counts if its tap falls on an entry of the input.

    Three taps over four entries with one zero on either side: 2 of 12 taps miss.

    >>> axis = WindowAxis(n_in=4, n_out=4, kernel=3, low=1)
    >>> round(padding_share([axis]), 6)
    0.166667
    >>> padding_share([WindowAxis(n_in=4, n_out=2, kernel=3)])
    0.0
    """
    met = prod(_mean_terms(axis) for axis in axes)
    whole = prod(axis.kernel / axis.spread for axis in axes)
    return max(0.0, 1.0 - met / whole)


def _mean_terms(axis: WindowAxis) -> float:
    return float((entries_read(axis) >= 0).sum(axis=1).mean())


def entries_read(axis: WindowAxis) -> np.ndarray:
    """Give which entry of the input each tap of each window reads; −1 for padding.

    Returns:
        Whole numbers of shape (n_out, kernel).

    >>> entries_read(WindowAxis(n_in=3, n_out=3, kernel=2, low=1)).tolist()
    [[-1, 0], [0, 1], [1, 2]]
    """
    starts = np.arange(axis.n_out)[:, None] * axis.stride - axis.low
    places = starts + np.arange(axis.kernel)[None, :] * axis.dilation
    last = (axis.n_in - 1) * axis.spread
    meets = (places >= 0) & (places <= last) & (places % axis.spread == 0)
    return np.where(meets, places // axis.spread, -1)
