"""How matrices are laid out as a weight: what a script does after drawing them.

An orthogonal or identity law draws one matrix for each group of a weight's block. They
are stacked, reshaped to the axes in the order outputs, inputs, kernel, and permuted to
the order in which the weight is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.sampler.matrices import view_of

if TYPE_CHECKING:
    from fanin.graph.fans import AxisRoles


@dataclass(frozen=True, kw_only=True)
class Matrices:
    """The matrices of one block of a weight, and the way from them to the block.

    n_matrices: one a group. n_rows, n_columns: of each; a row is an output, its columns
    are the inputs times the kernel. n_positions: of the kernel; centre: of them, the
    middle one. swapped: the groups stand second. lengths: reshaped to. order: permuted
    by. column_axis: the axis that alone indexes the outputs of a single matrix, None if
    there is none such.
    """

    n_matrices: int
    n_rows: int
    n_columns: int
    n_positions: int
    centre: int
    is_swapped: bool
    lengths: tuple[int, ...]
    order: tuple[int, ...]
    column_axis: int | None

    @property
    def is_in_order(self) -> bool:
        """Say whether the stacked matrices are the weight, but for a reshape."""
        return not self.is_swapped and self.order == tuple(range(len(self.order)))


def matrices_of(shape: tuple[int, ...], roles: AxisRoles | None) -> Matrices:
    """Describe the matrices of a block of that shape.

    >>> from fanin.graph.layouts import keras_conv
    >>> found = matrices_of((3, 3, 16, 32), keras_conv(2))
    >>> found.n_rows, found.n_columns, found.lengths, found.order, found.column_axis
    (32, 144, (32, 16, 3, 3), (2, 3, 1, 0), 3)
    """
    view = view_of(shape, roles)
    outputs = (0,) if roles is None else roles.outputs
    is_single = view.n_groups == 1 and len(outputs) == 1
    return Matrices(
        n_matrices=view.n_groups,
        n_rows=view.n_rows,
        n_columns=view.n_columns,
        n_positions=view.column_step,
        centre=view.centre,
        is_swapped=view.is_by_input and view.n_groups > 1,
        lengths=view.lengths,
        order=_inverse(view.order),
        column_axis=outputs[0] if is_single else None,
    )


def _inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(order.index(axis) for axis in range(len(order)))
