"""Schemes that draw a whole matrix at once: orthogonal, in kernels too, identity."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fanin.graph.fans import fans, matrix_fans
from fanin.schemes.options import GAIN
from fanin.schemes.scheme import Scalar, Scheme
from fanin.schemes.sources import LE_2015, MEZZADRI_2007, SAXE_2013, XIAO_2018

if TYPE_CHECKING:
    from fanin.graph.fans import AxisRoles, Fan


def larger_side_variance(fan: Fan[Scalar], gain: Scalar) -> Scalar:
    """Var[w] = gain² / max(rows, columns).

    A semi-orthogonal matrix of n rows and m columns holds min(n, m) unit vectors, so
    the squares of its n·m entries sum to min(n, m), and their mean is 1 / max(n, m).
    The maximum is written (n + m + |n − m|) / 2, so that it runs on symbols.

    >>> from fanin.graph.fans import Fan
    >>> larger_side_variance(Fan(n_in=64.0, n_out=16.0), 2.0)
    0.0625
    """
    larger = (fan.n_in + fan.n_out + abs(fan.n_in - fan.n_out)) / 2
    return gain**2 / larger


def window_fans(shape: tuple[int, ...], roles: AxisRoles) -> Fan[float]:
    """Give the fans at stride 1: what a matrix in the middle of a kernel is among.

    An identity copies min(n, m) channels, and n·m·k weights are there: the mean of
    their squares is 1 / (max(n, m)·k), one over the larger of these two. So it is for
    any matrix with as many orthonormal rows or columns.

    >>> from fanin.graph.layouts import torch_conv
    >>> window_fans((128, 64, 3, 3), torch_conv(2, strides=2))
    Fan(n_in=576.0, n_out=1152.0)
    """
    return fans(shape, replace(roles, strides=1, is_lookup=False))


ORTHOGONAL: Final = Scheme(
    name="orthogonal",
    aliases=("ortho", "haar"),
    law="orthogonal",
    variance=larger_side_variance,
    formula="W = gain · Q with QᵀQ = 1 or QQᵀ = 1, Var[w] = gain² / max(rows, columns)",
    keeps=(
        "the length of every vector, forward where rows ≥ columns and backward where "
        "rows ≤ columns"
    ),
    assumes=(
        "Q uniform over orthogonal matrices: QR of normals with R's diagonal positive",
        "φ close to the identity",
    ),
    sources=(SAXE_2013, MEZZADRI_2007),
    uses_gain=True,
    sides=matrix_fans,
    options=(GAIN,),
)

DELTA_ORTHOGONAL: Final = replace(
    ORTHOGONAL,
    name="delta_orthogonal",
    aliases=("convolution_delta_orthogonal",),
    law="delta_orthogonal",
    formula="W = gain · Q mid-kernel, else 0; mean of w²: gain² / max(fan_in, fan_out)",
    keeps=(
        "the length of every image through a convolution of stride 1, forward where "
        "outputs ≥ inputs and backward where outputs ≤ inputs: all singular values of "
        "the layer are the gain"
    ),
    assumes=(
        "Q uniform over orthogonal matrices, QᵀQ = 1 or QQᵀ = 1",
        "fans at stride 1",
        "a convolution of stride 1 that keeps the size; a dense weight is all middle",
        "φ close to the identity",
    ),
    sources=(XIAO_2018, MEZZADRI_2007),
    sides=window_fans,
)

IDENTITY: Final = replace(
    ORTHOGONAL,
    name="identity",
    aliases=("eye",),
    law="identity",
    formula="w = gain on the diagonal, else 0; mean of w²: gain² / max(rows, columns)",
    keeps="every entry of the input, as far as the sides allow",
    assumes=("a recurrent matrix with ReLU, or a layer that starts as a pass-through",),
    sources=(LE_2015,),
    uses_gain=False,
    sides=window_fans,
)

STRUCTURED: Final = (ORTHOGONAL, DELTA_ORTHOGONAL, IDENTITY)
