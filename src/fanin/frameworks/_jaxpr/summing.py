"""JAX's primitives that sum: contractions, convolutions, lookups, reductions."""

from __future__ import annotations

from math import prod
from string import ascii_letters
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.frameworks._jaxpr.recorder import (
    Total,
    opaque,
    pointwise,
)
from fanin.graph.fans import AxisRoles
from fanin.graph.windows import WindowAxis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._jaxpr.recorder import Recorder, Translator
    from fanin.frameworks._jaxpr.steps import Step

KINDS: Final = {
    "reduce_sum": "sum",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_or": "max",
    "reduce_and": "min",
    "reduce_window_sum": "sum",
    "reduce_window_max": "max",
    "reduce_window_min": "min",
}


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
    for side, other in ((right, left), (left, right)):
        if other not in recorder.views:
            recorder.multiply_by(step, side)
    subscripts = f"{''.join(on_left)},{''.join(on_right)}->{out}"
    return [recorder.builder.contract("dot_general", left, right, subscripts)]


def convolved(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a ``conv_general_dilated``; spread inputs make it a transposed one.

    A convolution grouped over its batch, or both grouped and transposed, is opaque.
    """
    params, shape = step.params, step.shapes[0]
    numbers = params["dimension_numbers"]
    spread = prod(params["lhs_dilation"])
    groups = int(params["feature_group_count"])
    is_plain = numbers.lhs_spec[0] == numbers.out_spec[0] == 0
    has_one_axis = numbers.lhs_spec[1] == numbers.out_spec[1]
    is_mixed = params["batch_group_count"] > 1 or (spread > 1 and groups > 1)
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
    )
    recorder.multiply_by(step, weight)
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
    held, read = recorder.builder.shape(table), recorder.builder.shape(indices)
    collapsed = tuple(numbers.collapsed_slice_dims)
    whole = all(
        size == (1 if axis in collapsed else held[axis])
        for axis, size in enumerate(sizes)
    )
    is_rows = len(collapsed) == 1 and tuple(numbers.start_index_map) == collapsed
    n_leading = len(step.shapes[0]) - len(numbers.offset_dims)
    is_last = tuple(numbers.offset_dims) == tuple(range(n_leading, len(step.shapes[0])))
    if not (whole and is_rows and is_last and read[-1] == 1):
        return [recorder.builder.pick("gather", table, step.shapes[0])]
    recorder.multiply_by(step, table)
    flat = recorder.builder.reshape("gather", indices, read[:-1])
    return [recorder.builder.lookup("gather", table, flat, axis=collapsed[0])]


def reduced(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a reduction over axes; of a sum it is kept of what, to know a mean."""
    source, axes = recorder.draft(step.inputs[0]), tuple(step.params["axes"])
    kind = KINDS[step.primitive]
    made = recorder.builder.reduce(step.primitive, source, axes, kind=kind)
    if kind == "sum":
        held = recorder.builder.shape(source)
        count = prod(held[axis] for axis in axes)
        recorder.totals[made] = Total(source=source, axes=axes, count=count)
    return [made]


def summed_over_batch(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a ``psum``: over axes that ``vmap`` laid out it is a sum, else it is opaque.

    ``vmap`` turns the name of its axis into a number, and adds the sum over nothing.
    """
    axes = tuple(step.params["axes"])
    is_laid_out = all(isinstance(axis, int) for axis in axes)
    if not is_laid_out or step.params.get("axis_index_groups") is not None:
        return opaque(recorder, step)
    made = []
    for source in step.inputs:
        draft = recorder.draft(source)
        total = recorder.builder.reduce("psum", draft, axes, kind="sum")
        held = recorder.builder.shape(draft)
        count = prod(held[axis] for axis in axes)
        recorder.totals[total] = Total(source=draft, axes=axes, count=count)
        made.append(total)
    return made


def pooled(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add pooling over windows."""
    source, shape = recorder.draft(step.inputs[0]), step.shapes[0]
    kind, windows = KINDS[step.primitive], _pool_windows(recorder, step, source)
    name = step.primitive
    made = recorder.builder.pool(name, source, shape, kind=kind, windows=windows)
    if kind == "sum":
        count = prod(window.kernel for window in windows)
        recorder.totals[made] = Total(
            source=source, axes=(), count=count, windows=windows
        )
    return [made]


def _pool_windows(
    recorder: Recorder, step: Step, source: int
) -> tuple[WindowAxis, ...]:
    params, held = step.params, recorder.builder.shape(source)
    return tuple(
        WindowAxis(
            axis=axis,
            n_in=held[axis],
            n_out=step.shapes[0][axis],
            kernel=kernel,
            stride=params["window_strides"][axis],
            low=params["padding"][axis][0],
            dilation=params["window_dilation"][axis],
            spread=params["base_dilation"][axis],
        )
        for axis, kernel in enumerate(params["window_dimensions"])
        if kernel > 1 or params["window_strides"][axis] > 1
    )


def divided(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a quotient; a sum divided by its count is a mean."""
    divisor = recorder.number(step.inputs[1])
    if divisor is None or divisor.size == 0:
        return pointwise(recorder, step)
    source = recorder.draft(step.inputs[0])
    total = recorder.totals.get(source)
    # Average pooling divides by the entries that are no padding: most, inside.
    if total is not None and float(divisor.max()) == total.count:
        return _mean(recorder, step, total)
    made = pointwise(recorder, step)
    number = recorder.scalar(step.inputs[1])
    if number is not None:
        recorder.quotients[made[0]] = (source, number)
    return made


def multiplied(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a product; a sum times one over its count is a mean."""
    for index in (0, 1):
        factor = recorder.scalar(step.inputs[index])
        if factor is None:
            continue
        source = recorder.draft(step.inputs[1 - index])
        total = recorder.totals.get(source)
        if total is not None and np.isclose(factor * total.count, 1.0, rtol=1e-6):
            return _mean(recorder, step, total)
    return pointwise(recorder, step)


def _mean(recorder: Recorder, step: Step, total: Total) -> Sequence[int]:
    builder, shape = recorder.builder, step.shapes[0]
    if not total.axes:
        windows = total.windows
        return [builder.pool("mean", total.source, shape, kind="mean", windows=windows)]
    is_kept = len(shape) == len(builder.shape(total.source))
    made = builder.reduce(
        "mean", total.source, total.axes, kind="mean", is_kept=is_kept
    )
    if builder.shape(made) != shape:
        made = builder.reshape("mean", made, shape)
    return [made]


def largest(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a maximum; against −∞, as JAX begins a reduction, it is what it was."""
    for index in (0, 1):
        if recorder.scalar(step.inputs[index]) == -np.inf:
            return [recorder.draft(step.inputs[1 - index])]
    return pointwise(recorder, step)


TRANSLATORS: Mapping[str, Translator] = {
    "conv_general_dilated": convolved,
    "div": divided,
    "dot_general": contracted,
    "gather": gathered,
    "max": largest,
    "mul": multiplied,
    "psum": summed_over_batch,
    "reduce_and": reduced,
    "reduce_max": reduced,
    "reduce_min": reduced,
    "reduce_or": reduced,
    "reduce_sum": reduced,
    "reduce_window_max": pooled,
    "reduce_window_min": pooled,
    "reduce_window_sum": pooled,
}
"""By JAX's name of the primitive."""
