"""Fans from axis roles: how many terms one output sums, and one input feeds.

A layout (PyTorch's ``(out, in, k, k)``, Keras's ``(k, k, in, out)``) is a choice of
axes; the fans are not. So a recorder states the role of each axis, and one pair of
formulas serves every layer of every framework.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Scalar = TypeVar("Scalar")


@dataclass(frozen=True, kw_only=True)
class Fan(Generic[Scalar]):
    """The two fans of a weight, as numbers or as SymPy symbols.

    n_in: terms summed in one output (mean over positions), > 0.
    n_out: outputs that one input feeds (mean over positions), > 0.

    >>> Fan(n_in=512.0, n_out=10.0).n_in
    512.0
    """

    n_in: Scalar
    n_out: Scalar


@dataclass(frozen=True, kw_only=True)
class AxisRoles:
    """What each axis of a weight stands for.

    inputs: axes summed over; outputs: axes that index outputs; kernel: spatial axes of
    a convolution. Together they name every axis once. ``groups``: the convolution's
    groups, where one of the two channel axes holds the full count and the other one
    group's. ``is_transposed``: a transposed convolution. ``strides``: the product of
    the strides over all spatial axes. ``is_lookup``: an embedding table, whose one-hot
    input has a single term.

    >>> AxisRoles(outputs=(0,), inputs=(1,)).outputs
    (0,)
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    kernel: tuple[int, ...] = ()
    groups: int = 1
    strides: int = 1
    is_transposed: bool = False
    is_lookup: bool = False
