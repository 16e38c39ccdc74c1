"""JAX's primitives that move, copy or pick numbers, as the builder's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.frameworks._jaxpr.recorder import opaque, pointwise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._jaxpr.recorder import Recorder, Translator
    from fanin.frameworks._jaxpr.steps import Step


def reshaped(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a step that keeps all numbers in row-major order: reshape, copy, cast."""
    source = recorder.draft(step.inputs[0])
    made = recorder.builder.reshape(step.primitive, source, step.shapes[0])
    carry(recorder, source, made)
    return [made]


def carry(recorder: Recorder, source: int, made: int) -> None:
    """Let a value in another shape stay what it was: a view, a sum."""
    if source in recorder.views:
        recorder.views[made] = recorder.views[source]
    if source in recorder.totals:
        recorder.totals[made] = recorder.totals[source]


def cast(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a change of dtype: to truth values and whole numbers it is a function."""
    source = recorder.draft(step.inputs[0])
    given, wanted = recorder.dtype(step.inputs[0]), step.dtypes[0]
    if wanted == "bool":
        return [recorder.builder.pointwise("cast", [source], _as_truth)]
    if "int" in wanted and "float" in given:
        return [recorder.builder.pointwise("cast", [source], np.trunc)]
    return reshaped(recorder, step)


def _as_truth(z: np.ndarray) -> np.ndarray:
    return np.asarray(np.not_equal(z, 0), dtype=np.float64)


def permuted(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a transposition."""
    source = recorder.draft(step.inputs[0])
    made = recorder.builder.permute("transpose", source, step.params["permutation"])
    if source in recorder.views:
        recorder.views[made] = recorder.views[source]
    return [made]


def broadcast(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add copies along axes, or only axes of length 1."""
    source = recorder.draft(step.inputs[0])
    shape, axes = step.shapes[0], step.params["broadcast_dimensions"]
    held = recorder.builder.shape(source)
    if int(np.prod(held)) == int(np.prod(shape)):
        return reshaped(recorder, step)
    return [recorder.builder.broadcast("broadcast", source, shape, axes)]


def flipped(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a reversal of axes; in a kernel it changes no statistic and no role."""
    source = recorder.draft(step.inputs[0])
    if source in recorder.views:
        return reshaped(recorder, step)
    return [recorder.builder.pick("rev", source, step.shapes[0])]


def sliced(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a static slice; cut along one axis it says which part is taken."""
    source = recorder.draft(step.inputs[0])
    if "round" in step.params:  # of an unrolled scan: one entry of the first axis
        shape, start = (1, *step.shapes[0]), int(step.params["round"])
        made = recorder.builder.pick("slice", source, shape, axis=0, start=start)
        return [recorder.builder.reshape("slice", made, step.shapes[0])]
    held, shape = recorder.builder.shape(source), step.shapes[0]
    cut = [axis for axis, n in enumerate(held) if n != shape[axis]]
    if not cut:
        return reshaped(recorder, step)
    if len(cut) > 1:
        return [recorder.builder.pick("slice", source, shape)]
    strides = step.params["strides"] or (1,) * len(held)
    axis = cut[0]
    start, stride = int(step.params["start_indices"][axis]), int(strides[axis])
    made = recorder.builder.pick(
        "slice", source, shape, axis=axis, start=start, step=stride
    )
    return [made]


def dynamically_sliced(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a slice that starts where an index says, known while recording or not."""
    source = recorder.draft(step.inputs[0])
    held, shape = recorder.builder.shape(source), step.shapes[0]
    cut = [axis for axis, n in enumerate(held) if n != shape[axis]]
    start = recorder.scalar(step.inputs[1 + cut[0]]) if len(cut) == 1 else None
    if start is None:
        return [recorder.builder.pick("dynamic_slice", source, shape)]
    made = recorder.builder.pick(
        "dynamic_slice", source, shape, axis=cut[0], start=int(start)
    )
    return [made]


def split(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add the parts of a tensor cut along one axis."""
    source, axis = recorder.draft(step.inputs[0]), int(step.params["axis"])
    made, start = [], 0
    for shape in step.shapes:
        part = recorder.builder.pick("split", source, shape, axis=axis, start=start)
        made.append(part)
        start += shape[axis]
    return made


def padded(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add padding: numbers put around a tensor, or cut off it."""
    source = recorder.draft(step.inputs[0])
    return [recorder.builder.pick("pad", source, step.shapes[0])]


def concatenated(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add tensors laid side by side."""
    inputs = [recorder.draft(source) for source in step.inputs]
    axis = int(step.params["dimension"])
    return [recorder.builder.concat("concatenate", inputs, axis)]


def stacked(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add tensors laid side by side along an axis of their own."""
    axis = int(step.params.get("axis", 0))
    shape = list(step.shapes[0])
    shape[axis] = 1
    inputs = [
        recorder.builder.reshape("stack", recorder.draft(source), tuple(shape))
        for source in step.inputs
    ]
    return [recorder.builder.concat("stack", inputs, axis)]


def selected(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a choice between cases, unless it is known which one is taken.

    A choice of whole numbers wraps a negative index; one between numbers and NaN marks
    an index out of range; one by a random mask between a number and 0 is dropout.
    """
    which, *cases = step.inputs
    known = recorder.scalar(which)
    if known is not None:
        return _same(recorder, step, int(known) + 1)
    if "int" in step.dtypes[0]:
        return _same(recorder, step, 1)
    numbers = [recorder.number(case) for case in cases]
    for index, number in enumerate(numbers):
        if number is not None and number.dtype.kind == "f" and np.isnan(number).all():
            return _same(recorder, step, 2 - index)
    if recorder.is_random(which) and recorder.scalar(cases[0]) == 0.0:
        return masked(recorder, step, keep=recorder.keep(which))
    return pointwise(recorder, step)


def masked(recorder: Recorder, step: Step, *, keep: float) -> Sequence[int]:
    """Add dropout: the last input, or 0; JAX divides by the share kept beforehand."""
    which, source = recorder.draft(step.inputs[0]), recorder.draft(step.inputs[-1])
    whole, divisor = recorder.quotients.get(source, (source, 1.0))
    if np.isclose(divisor, keep, rtol=1e-6):
        return [recorder.builder.noise("dropout", whole, p=round(1.0 - keep, 6))]
    inputs = [source, which]
    return [
        recorder.builder.pointwise("select_n", inputs, np.multiply, rule="multiply")
    ]


def _same(recorder: Recorder, step: Step, index: int) -> Sequence[int]:
    source = recorder.draft(step.inputs[index])
    if recorder.builder.shape(source) == step.shapes[0]:
        return [source]
    return [recorder.builder.broadcast("select_n", source, step.shapes[0])]


TRANSLATORS: Mapping[str, Translator] = {
    "broadcast_in_dim": broadcast,
    "concatenate": concatenated,
    "convert_element_type": cast,
    "copy": reshaped,
    "copy_p": reshaped,
    "dynamic_slice": dynamically_sliced,
    "expand_dims": reshaped,
    "optimization_barrier": opaque,
    "pad": padded,
    "reduce_precision": reshaped,
    "reshape": reshaped,
    "rev": flipped,
    "select_n": selected,
    "slice": sliced,
    "split": split,
    "squeeze": reshaped,
    "stack": stacked,
    "stop_gradient": reshaped,
    "transpose": permuted,
}
"""By JAX's name of the primitive."""
