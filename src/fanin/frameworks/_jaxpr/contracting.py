"""JAX's primitives that contract: products of matrices, convolutions, lookups."""

from __future__ import annotations

from math import prod
from string import ascii_letters
from typing import TYPE_CHECKING

from fanin.frameworks._jaxpr.entrywise import opaque
from fanin.graph.fans import AxisRoles
from fanin.graph.windows import WindowAxis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._jaxpr.recorder import Recorder, Translator
    from fanin.frameworks._jaxpr.steps import Step


def contracted(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a ``dot_general``, its dimension numbers written as ``einsum`` does."""
    left, right = (recorder.draft(source) for source in step.inputs)
    (over_left, over_right), (batch_left, batch_right) = step.params[
        "dimension_numbers"
    ]
    rank_left = len(recorder.builder.shape(left))
    rank_right = len(recorder.builder.shape(right))
    on_left = list(ascii_letters[:rank_left])
    on_right = list(ascii_letters[rank_left : rank_left + rank_right])
    pairs = zip((*over_left, *batch_left), (*over_right, *batch_right), strict=True)
    for axis_left, axis_right in pairs:
        on_right[axis_right] = on_left[axis_left]
    free = [on_left[i] for i in range(rank_left) if i not in {*over_left, *batch_left}]
    free += [
        on_right[i] for i in range(rank_right) if i not in {*over_right, *batch_right}
    ]
    out = "".join([on_left[axis] for axis in batch_left] + free)
    subscripts = f"{''.join(on_left)},{''.join(on_right)}->{out}"
    return [recorder.builder.contract("dot_general", left, right, subscripts)]


def convolved(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a ``conv_general_dilated``; spread inputs make it a transposed one.

    A convolution grouped over its batch, as in a gradient, is opaque.
    """
    params, shape = step.params, step.shapes[0]
    numbers = params["dimension_numbers"]
    spread = prod(params["lhs_dilation"])
    groups = int(params["feature_group_count"])
    is_plain = numbers.lhs_spec[0] == numbers.out_spec[0] == 0
    has_one_axis = numbers.lhs_spec[1] == numbers.out_spec[1]
    is_mixed = params["batch_group_count"] > 1
    if is_mixed or not (is_plain and has_one_axis):
        return opaque(recorder, step)
    source, weight = (recorder.draft(given) for given in step.inputs)
    roles = AxisRoles(
        outputs=(numbers.rhs_spec[0],),
        inputs=(numbers.rhs_spec[1],),
        kernel=tuple(sorted(numbers.rhs_spec[2:])),
        groups=groups,
        strides=spread if spread > 1 else prod(params["window_strides"]),
        is_transposed=spread > 1,
        has_all_outputs=spread > 1 and groups > 1,
    )
    made = recorder.builder.convolve(
        "conv_general_dilated",
        source,
        weight,
        shape,
        roles=roles,
        channel_axis=numbers.out_spec[1],
        windows=_axes(recorder, step, source, weight),
    )
    return [made]


def _axes(recorder: Recorder, step: Step, source: int, weight: int) -> list[WindowAxis]:
    params, numbers = step.params, step.params["dimension_numbers"]
    held, kernel = recorder.builder.shape(source), recorder.builder.shape(weight)
    return [
        WindowAxis(
            axis=numbers.out_spec[2 + axis],
            n_in=held[numbers.lhs_spec[2 + axis]],
            n_out=step.shapes[0][numbers.out_spec[2 + axis]],
            kernel=kernel[numbers.rhs_spec[2 + axis]],
            stride=params["window_strides"][axis],
            low=params["padding"][axis][0],
            dilation=params["rhs_dilation"][axis],
            spread=params["lhs_dilation"][axis],
        )
        for axis in range(len(params["window_strides"]))
    ]


def gathered(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a ``gather`` of whole rows along one axis; any other one is a pick."""
    table, indices = (recorder.draft(source) for source in step.inputs)
    numbers, sizes = step.params["dimension_numbers"], step.params["slice_sizes"]
    held, shape = recorder.builder.shape(table), step.shapes[0]
    cut = [axis for axis, size in enumerate(sizes) if size != held[axis]]
    if len(cut) != 1 and numbers.collapsed_slice_dims:
        cut = list(numbers.collapsed_slice_dims)
    n_leading = len(shape) - len(numbers.offset_dims)
    is_last = tuple(numbers.offset_dims) == tuple(range(n_leading, len(shape)))
    is_rows = len(cut) == 1 and sizes[cut[0]] == 1 and cut[0] in numbers.start_index_map
    if not (is_rows and is_last) or numbers.operand_batching_dims:
        return [recorder.builder.pick("gather", table, shape)]
    column = _column(recorder, indices, numbers.start_index_map.index(cut[0]))
    made = recorder.builder.lookup("gather", table, column, axis=cut[0])
    if recorder.builder.shape(made) != shape:
        made = recorder.builder.reshape("gather", made, shape)
    return [made]


def _column(recorder: Recorder, indices: int, place: int) -> int:
    """Give one of the indices that are laid side by side along the last axis."""
    read = recorder.builder.shape(indices)
    if read[-1] == 1:
        return recorder.builder.reshape("gather", indices, read[:-1])
    if indices in recorder.columns:
        column = recorder.columns[indices][place]
        return recorder.builder.reshape("gather", column, read[:-1])
    return recorder.builder.pick(
        "gather", indices, read[:-1], axis=len(read) - 1, start=place, is_dropped=True
    )


def contracted_by_group(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a ``ragged_dot``: each row meets the one matrix that its group has.

    Any row's output is a product with one matrix of the stack, so the stack's first
    stands for it.
    """
    numbers = step.params["ragged_dot_dimension_numbers"]
    left, stack = (recorder.draft(source) for source in step.inputs[:2])
    shape = recorder.builder.shape(stack)
    groups = tuple(numbers.rhs_group_dimensions)
    is_plain = numbers.dot_dimension_numbers == (((1,), (1,)), ((), ()))
    if groups != (0,) or not is_plain:
        return opaque(recorder, step)
    matrix = recorder.builder.pick(
        "ragged_dot", stack, shape[1:], axis=0, start=0, is_dropped=True
    )
    return [recorder.builder.contract("ragged_dot", left, matrix, "ab,bc->ac")]


TRANSLATORS: Mapping[str, Translator] = {
    "conv_general_dilated": convolved,
    "dot_general": contracted,
    "gather": gathered,
    "ragged_dot_general": contracted_by_group,
}
"""By JAX's name of the primitive."""
