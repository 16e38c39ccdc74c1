"""Weights that are drawn as matrices: orthogonal, delta-orthogonal, and the identity.

A weight of any layout is one matrix for each of its groups: n_out rows of one output
each, n_in = inputs × kernel columns. The roles of the axes say which is which, so a
Keras kernel and a PyTorch weight of one layer hold the same matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.errors import ArgumentError
from fanin.graph.fans import AxisRoles, matrix_fans
from fanin.graph.rounding import write_rounded
from fanin.sampler.haar import reflect

if TYPE_CHECKING:
    from fanin.sampler.law import Law

Normals = Callable[[range, np.ndarray], None]
"""Writes the independent normal numbers of some indices, of any one std, into memory:
float32, one axis, contiguous."""

NUMBERS_AT_ONCE: Final = 1 << 18
"""Drawn at a time. Small matrices are made orthogonal together, so many at a time."""


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

    def matrices(self, weight: np.ndarray) -> np.ndarray:
        """Give the matrices "groups n_rows n_columns" of a weight as it is stored.

        They are the weight's own memory where its axes allow it, else a copy.
        """
        arranged = weight.transpose(self.order)
        if self.is_by_input:
            sides = (self.n_rows, self.n_groups, self.n_columns)
            return np.swapaxes(arranged.reshape(sides), 0, 1)
        return arranged.reshape(self.n_groups, self.n_rows, self.n_columns)

    def lay(self, matrices: np.ndarray, weight: np.ndarray) -> None:
        """Write matrices "groups n_rows n_columns" into a weight as it is stored."""
        if self.is_by_input:
            matrices = np.swapaxes(matrices, 0, 1)
        write_rounded(weight.transpose(self.order), matrices.reshape(self.lengths))


@lru_cache(maxsize=512)
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


def fill_matrix(law: Law, out: np.ndarray, normals: Normals) -> None:
    """Write a whole weight of a law of matrices into memory.

    float32 and float64 are worked on where they are to stand, if the layout has each
    matrix's rows or columns side by side (all but convolutions of Keras and JAX have);
    else, and in 16 bits, by way of one array in float32 or float64.

    Args:
        law: "orthogonal", "delta_orthogonal" or "identity".
        out: of the whole weight's shape, writable; bfloat16 may come as uint16.
        normals: where the numbers come from.

    Raises:
        ArgumentError: if it has fewer than two axes, or the roles do not fit it.
    """
    if law.kind == "identity":
        fill_identity(out, law.roles, law.factor)
    elif law.kind == "delta_orthogonal":
        fill_delta_orthogonal(out, law.roles, normals, law.factor)
    else:
        fill_orthogonal(out, law.roles, normals, law.factor)


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
    out = np.empty(shape)
    fill_identity(out, roles, gain)
    return out


def fill_identity(out: np.ndarray, roles: AxisRoles | None, gain: float = 1.0) -> None:
    """Write gain × the identity into a weight; see `identity`."""
    middle, inner = middle_of(out, roles)
    out[...] = 0
    view = view_of(middle.shape, inner)
    matrices = np.zeros((view.n_groups, view.n_rows, view.n_columns))
    units = np.arange(min(view.n_rows, view.n_columns))
    matrices[:, units, units] = gain
    view.lay(matrices, middle)


def fill_delta_orthogonal(
    out: np.ndarray, roles: AxisRoles | None, normals: Normals, gain: float = 1.0
) -> None:
    """Write an orthogonal matrix into the middle of a kernel, and 0 around it.

    Xiao et al., "Dynamical isometry and a mean field theory of CNNs" (2018), section
    2.4: at stride 1 each position's channels are multiplied by gain · Q and nothing
    is mixed between positions. So all singular values of the layer are the gain (with
    circular padding, or zero padding that keeps the size). A dense weight is all
    middle: there the law is "orthogonal".

    Args:
        out: as of `fill_orthogonal`.
        roles: of its axes, or None.
        normals: where the numbers come from; of the middle alone.
        gain: dimensionless.
    """
    middle, inner = middle_of(out, roles)
    out[...] = 0
    fill_orthogonal(middle, inner, normals, gain)


def middle_of(
    weight: np.ndarray, roles: AxisRoles | None
) -> tuple[np.ndarray, AxisRoles | None]:
    """Give the middle of a weight's kernel, a view, and the roles of its axes.

    The middle is length // 2 on each axis of the kernel. A kernel without positions has
    none: then the view is empty.

    >>> from fanin.graph.layouts import keras_conv
    >>> middle, roles = middle_of(np.arange(12).reshape(3, 2, 2), keras_conv(1))
    >>> middle.tolist(), roles.inputs, roles.outputs
    ([[4, 5], [6, 7]], (0,), (1,))
    """
    view_of(weight.shape, roles)
    if roles is None:
        roles = AxisRoles(
            outputs=(0,), inputs=(1,), kernel=tuple(range(2, weight.ndim))
        )
    kept = [axis for axis in range(weight.ndim) if axis not in roles.kernel]
    place = tuple(
        slice(None) if axis in kept else weight.shape[axis] // 2
        for axis in range(weight.ndim)
    )
    if not weight.size:
        return weight, roles
    inner = replace(
        roles,
        outputs=tuple(kept.index(axis) for axis in roles.outputs),
        inputs=tuple(kept.index(axis) for axis in roles.inputs),
        kernel=(),
    )
    return weight[place], inner


def fill_orthogonal(
    out: np.ndarray, roles: AxisRoles | None, normals: Normals, gain: float = 1.0
) -> None:
    """Write gain × a matrix drawn uniformly (Haar) from those with Q Qᵀ or QᵀQ = 1.

    Group g is made from the numbers g·n_rows·n_columns to (g + 1)·n_rows·n_columns − 1,
    laid out row by row as its taller orientation. Of float32, |QᵀQ − 1| < 10⁻⁶ and the
    matrix is that of float64 within 5·10⁻⁷; of float64, |QᵀQ − 1| < 10⁻¹⁴·√n.

    Args:
        out: the weight's memory, of its whole shape.
        roles: of its axes, or None.
        normals: where the numbers come from.
        gain: every singular value is |gain|.
    """
    view = view_of(out.shape, roles)
    is_wide = view.n_rows < view.n_columns
    is_double = out.dtype == np.float64
    if is_double or out.dtype == np.float32:
        stack = view.matrices(out)
        if not np.may_share_memory(stack, out):
            stack = np.empty(stack.shape, dtype=out.dtype)
    else:
        stack = np.empty((view.n_groups, view.n_rows, view.n_columns), np.float32)
    _fill_haar(np.swapaxes(stack, 1, 2) if is_wide else stack, normals, gain)
    if not np.may_share_memory(stack, out):
        view.lay(stack, out)


def _fill_haar(stack: np.ndarray, normals: Normals, gain: float) -> None:
    """Write gain × Haar matrices "n_matrices n_long n_short"."""
    size = prod(stack.shape[1:])
    at_once = max(1, NUMBERS_AT_ONCE // max(1, size))
    for first in range(0, len(stack), at_once):
        part = stack[first : first + at_once]
        _lay_numbers(part, normals, first * size)
        reflect(part)
        if gain != 1.0:
            part *= part.dtype.type(gain)


def _lay_numbers(part: np.ndarray, normals: Normals, first: int) -> None:
    """Write the numbers from index ``first`` on, row by row."""
    n_matrices, n_long, n_short = part.shape
    if part.flags.c_contiguous and part.dtype == np.float32:
        normals(range(first, first + part.size), part.reshape(-1))
        return
    n_rows = max(1, NUMBERS_AT_ONCE // max(1, n_short)) if n_matrices == 1 else n_long
    for start in range(0, n_long, n_rows):
        rows = part[:, start : start + n_rows]
        here = range(first + start * n_short, first + start * n_short + rows.size)
        numbers = np.empty(rows.size, dtype=np.float32)
        normals(here, numbers)
        rows[...] = numbers.reshape(rows.shape)


def haar(gaussians: np.ndarray) -> np.ndarray:
    """Give uniformly distributed matrices with orthonormal columns.

    Args:
        gaussians: "n_matrices n_long n_short", float32 or float64, n_long ≥ n_short;
            independent normal numbers; their std does not matter.
    """
    made = gaussians.copy()
    reflect(made)
    return made
