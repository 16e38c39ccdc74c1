"""JAX's primitives that sum or average: reductions, pooling, quotients by counts."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.frameworks._jaxpr.entrywise import opaque, pointwise
from fanin.frameworks._jaxpr.reduction import Reduction, Total
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


def reduced(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a reduction over axes; of a sum it is kept of what, to know a mean."""
    source, axes = recorder.draft(step.inputs[0]), tuple(step.params["axes"])
    if not axes:  # as vmap leaves it of a mean over the batch
        return [source]
    kind = KINDS[step.primitive]
    made = recorder.builder.reduce(step.primitive, source, axes, kind=kind)
    if kind == "max":
        found = Reduction(source=source, axes=axes, kind=kind)
        recorder.reductions[made] = found
    if kind == "sum":
        held = recorder.builder.shape(source)
        count = prod(held[axis] for axis in axes)
        shape = recorder.builder.shape(made)
        total = Total(source=source, axes=axes, count=count, shape=shape)
        recorder.totals[made] = total
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
        shape = recorder.builder.shape(total)
        recorder.totals[total] = Total(
            source=draft, axes=axes, count=count, shape=shape
        )
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
            source=source, axes=(), count=count, shape=shape, windows=windows
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
    if recorder.scalar(step.inputs[1]) == 1.0:
        return [source]
    total = recorder.totals.get(source)
    # Average pooling divides by the entries that are no padding: most, inside.
    if total is not None and float(divisor.max()) == total.count:
        return _mean(recorder, step, total)
    made = pointwise(recorder, step)
    number = recorder.scalar(step.inputs[1])
    if number is not None:
        recorder.quotients[made[0]] = (source, number)
    return made


def subtracted(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a difference, once: a variance written by hand subtracts the mean twice."""
    left, right = (recorder.draft(source) for source in step.inputs)
    inputs = (left, _own_reduction(recorder, left, right))
    if inputs[1] != right:
        rule, name = "subtract", step.primitive
        return [recorder.builder.pointwise(name, inputs, np.subtract, rule=rule)]
    if inputs not in recorder.differences:
        recorder.differences[inputs] = pointwise(recorder, step)
    return recorder.differences[inputs]


def _own_reduction(recorder: Recorder, left: int, right: int) -> int:
    """Give the maximum or mean of ``left`` where ``right`` is that of the same numbers.

    JAX's layers and ``vmap`` move axes about: a maximum is taken of a tensor, and taken
    off behind a transposition of it.
    """
    found = recorder.reductions.get(recorder.unmoved.get(right, right))
    places = {} if found is None else _places(recorder, found.source, left)
    if found is None or not set(found.axes) <= set(places):
        return right
    now = [places[axis] for axis in found.axes]
    kept = [place for axis, place in sorted(places.items()) if axis not in found.axes]
    held = recorder.builder.shape(left)
    shape = tuple(1 if axis in now else n for axis, n in enumerate(held))
    if kept != sorted(kept) or recorder.builder.shape(right) != shape:
        return right
    kind = found.kind
    return recorder.builder.reduce(kind, left, now, kind=kind, is_kept=True)


def _places(recorder: Recorder, source: int, moved: int) -> dict[int, int]:
    """Say where a value's axes are in it as it was moved; {} if that is another."""
    base, now = recorder.placed.get(moved, (moved, {}))
    if base == source:
        return now
    its_base, before = recorder.placed.get(source, (source, {}))
    if its_base != base:
        return {}
    return {axis: now[held] for held, axis in before.items() if held in now}


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
    made = pointwise(recorder, step)
    recorder.products[made[0]] = [recorder.draft(source) for source in step.inputs]
    return made


def _mean(recorder: Recorder, step: Step, total: Total) -> Sequence[int]:
    builder, shape = recorder.builder, step.shapes[0]
    if total.windows:
        made = builder.pool(
            "mean", total.source, total.shape, kind="mean", windows=total.windows
        )
    else:
        source, axes = _whole_mean(recorder, total)
        is_kept = not total.moves or total.moves[-1][0] == "reshape"
        is_kept = is_kept and len(shape) == len(builder.shape(source)) and bool(axes)
        made = builder.reduce("mean", source, axes, kind="mean", is_kept=is_kept)
        found = Reduction(source=source, axes=axes, kind="mean")
        recorder.reductions[made] = found
        if not is_kept or len(axes) == len(builder.shape(source)):
            recorder.means[made] = found
        if builder.shape(made) == shape:
            return [made]
        if is_kept:
            made = builder.reduce("mean", source, axes, kind="mean")
            recorder.reductions[made] = recorder.means[made] = found
    reduced_first = made
    for kind, numbers in total.moves:
        move = builder.reshape if kind == "reshape" else builder.permute
        made = move("mean", made, numbers)
    if builder.shape(made) != shape:
        made = builder.reshape("mean", made, shape)
    if all(kind == "reshape" for kind, _ in total.moves):
        recorder.unmoved[made] = reduced_first
    return [made]


def _whole_mean(recorder: Recorder, total: Total) -> tuple[int, tuple[int, ...]]:
    """Give source and axes; a mean of a mean over other axes is one over them all."""
    inner = recorder.means.get(total.source)
    if inner is None:
        return total.source, total.axes
    held = recorder.builder.shape(inner.source)
    left = [axis for axis in range(len(held)) if axis not in inner.axes]
    if len(left) != len(recorder.builder.shape(total.source)):
        return total.source, total.axes
    axes = sorted((*inner.axes, *(left[axis] for axis in total.axes)))
    return inner.source, tuple(axes)


def largest(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a maximum; against −∞, as JAX begins a reduction, it is what it was."""
    for index in (0, 1):
        if recorder.scalar(step.inputs[index]) == -np.inf:
            return [recorder.draft(step.inputs[1 - index])]
    return pointwise(recorder, step)


TRANSLATORS: Mapping[str, Translator] = {
    "div": divided,
    "max": largest,
    "mul": multiplied,
    "psum": summed_over_batch,
    "psum_invariant": summed_over_batch,
    "reduce_and": reduced,
    "reduce_max": reduced,
    "reduce_min": reduced,
    "reduce_or": reduced,
    "reduce_sum": reduced,
    "reduce_window_max": pooled,
    "reduce_window_min": pooled,
    "reduce_window_sum": pooled,
    "sub": subtracted,
}
"""By JAX's name of the primitive."""
