"""Weights that are drawn as a matrix: orthogonal, identity, and Dirac for kernels.

A weight of any layout is one matrix for each of its groups: n_out rows of one output
each, n_in = inputs × kernel columns. The roles of the axes say which is which, so a
Keras kernel and a PyTorch weight of one layer hold the same matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np

from fanin.errors import ArgumentError
from fanin.graph.fans import AxisRoles, matrix_fans

Gaussians = Callable[[range], np.ndarray]
"""Indices → independent normal numbers of any one std."""

REFLECTIONS_AT_ONCE: Final = 128


@dataclass(frozen=True, kw_only=True)
class View:
    """A weight seen as matrices "groups n_rows n_columns".

    order: its axes as outputs, inputs, kernel; lengths: theirs, in that order.
    centre: the column of a row's first input at the middle of the kernel.
    column_step: columns from one input to the next (the kernel's positions).
    is_by_input: the input axes count over all groups, and not the output axes.
    """

    n_groups: int
    n_rows: int
    n_columns: int
    order: tuple[int, ...]
    lengths: tuple[int, ...]
    centre: int
    column_step: int
    is_by_input: bool

    def weight(self, matrices: np.ndarray) -> np.ndarray:
        """Lay matrices "groups n_rows n_columns" out as the weight is stored."""
        if self.is_by_input:
            matrices = np.swapaxes(matrices, 0, 1)
        arranged = matrices.reshape(self.lengths)
        return np.ascontiguousarray(arranged.transpose(np.argsort(self.order)))


def view_of(shape: tuple[int, ...], roles: AxisRoles | None) -> View:
    """Give the matrices that a weight of this shape holds.

    Raises:
        ArgumentError: if it has fewer than two axes, or the roles do not fit it.

    >>> from fanin.graph.layouts import keras_conv
    >>> view = view_of((3, 3, 16, 32), keras_conv(2))
    >>> (view.n_groups, view.n_rows, view.n_columns, view.centre)
    (1, 32, 144, 4)
    """
    if len(shape) < 2:
        expected = "of two axes or more for an orthogonal or identity law"
        raise ArgumentError.of(argument="shape", received=shape, expected=expected)
    if roles is None:
        roles = AxisRoles(outputs=(0,), inputs=(1,), kernel=tuple(range(2, len(shape))))
    sides = matrix_fans(shape, roles)
    order = (*roles.outputs, *roles.inputs, *roles.kernel)
    kernel = tuple(shape[axis] for axis in roles.kernel)
    middle = tuple(length // 2 for length in kernel)
    return View(
        n_groups=roles.groups,
        n_rows=int(sides.n_out),
        n_columns=int(sides.n_in),
        order=order,
        lengths=tuple(shape[axis] for axis in order),
        centre=int(np.ravel_multi_index(middle, kernel)) if prod(kernel) else 0,
        column_step=prod(kernel),
        is_by_input=roles.is_transposed and not roles.has_all_outputs,
    )


def identity(
    shape: tuple[int, ...], roles: AxisRoles | None, gain: float = 1.0
) -> np.ndarray:
    """Give gain × the identity: output j copies input j, as far as there are both.

    In a kernel the copy stands at the middle position, length // 2 on each axis (a
    Dirac kernel). Each group has its own.

    >>> identity((2, 3), None).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    >>> identity((1, 1, 3), None).tolist()
    [[[0.0, 1.0, 0.0]]]
    """
    view = view_of(shape, roles)
    matrices = np.zeros((view.n_groups, view.n_rows, view.n_columns))
    if matrices.size:
        n_inputs = view.n_columns // view.column_step
        units = np.arange(min(view.n_rows, n_inputs))
        matrices[:, units, view.centre + units * view.column_step] = gain
    return view.weight(matrices)


def orthogonal(
    shape: tuple[int, ...],
    roles: AxisRoles | None,
    gaussians: Gaussians,
    gain: float = 1.0,
) -> np.ndarray:
    """Give gain × a matrix drawn uniformly (Haar) from those with Q Qᵀ = 1 or QᵀQ = 1.

    Group g is made from the numbers g·n_rows·n_columns to (g + 1)·n_rows·n_columns − 1,
    laid out row by row as its taller orientation. Float64; |QᵀQ − 1| < 1e-12.

    Args:
        shape: of the weight.
        roles: of its axes, or None.
        gaussians: where the numbers come from.
        gain: every singular value is |gain|.
    """
    view = view_of(shape, roles)
    n_long = max(view.n_rows, view.n_columns)
    n_short = min(view.n_rows, view.n_columns)
    numbers = gaussians(range(view.n_groups * n_long * n_short))
    tall = haar(numbers.astype(np.float64).reshape(view.n_groups, n_long, n_short))
    matrices = tall if view.n_rows >= view.n_columns else np.swapaxes(tall, 1, 2)
    return view.weight(matrices * gain)


def haar(gaussians: np.ndarray) -> np.ndarray:
    """Give uniformly distributed matrices with orthonormal columns.

    Stewart, "The efficient generation of random orthogonal matrices" (1980): Q is
    H₁ H₂ … H_n D. H_k reflects the lower part x of column k of the numbers, from row k
    on, onto the axis; D has the signs that make column k of H_k D equal to x/‖x‖. What
    stands above the diagonal is not read. Blocks of reflections are one product each,
    1 − V M⁻¹ Vᵀ, with M + Mᵀ = VᵀV and M upper triangular (Puglisi 1992).

    Args:
        gaussians: "n_matrices n_long n_short", float64, n_long ≥ n_short; independent
            normal numbers; their std does not matter.
    """
    n_matrices, n_long, n_short = gaussians.shape
    steps = np.arange(n_short)
    vectors = np.tril(gaussians)
    signs = np.where(vectors[:, steps, steps] < 0, -1.0, 1.0)
    vectors[:, steps, steps] += signs * np.linalg.norm(vectors, axis=1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    result = np.zeros((n_matrices, n_long, n_short))
    result[:, steps, steps] = -signs
    for start in reversed(range(0, n_short, REFLECTIONS_AT_ONCE)):
        block = vectors[:, start:, start : start + REFLECTIONS_AT_ONCE]
        across = np.swapaxes(block, 1, 2)
        rest = result[:, start:, start:]
        # The vectors have length 1, so half the diagonal of VᵀV is ½.
        middle = np.triu(across @ block, 1) + np.eye(block.shape[2]) / 2
        rest -= block @ np.linalg.solve(middle, across @ rest)
    return result
