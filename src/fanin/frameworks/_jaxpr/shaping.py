"""JAX's primitives that move, copy or pick numbers, as the builder's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._jaxpr.recorder import Recorder, Translator
    from fanin.frameworks._jaxpr.reduction import Move
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
    shape, held = recorder.builder.shape(made), recorder.builder.shape(source)
    if [n for n in shape if n > 1] == [n for n in held if n > 1]:
        recorder.unmoved[made] = recorder.unmoved.get(source, source)
        long_before = [axis for axis, n in enumerate(held) if n > 1]
        long_now = [axis for axis, n in enumerate(shape) if n > 1]
        place(recorder, source, made, dict(zip(long_before, long_now, strict=True)))
    moved(recorder, source, made, ("reshape", shape))


def place(recorder: Recorder, source: int, made: int, axes: Mapping[int, int]) -> None:
    """Note where a value's axes are now; from which other one, it may have them."""
    base, before = recorder.placed.get(source, (source, {a: a for a in axes}))
    now = {axis: axes[old] for axis, old in before.items() if old in axes}
    recorder.placed[made] = (base, now)


def moved(recorder: Recorder, source: int, made: int, move: Move) -> None:
    """Let a sum whose numbers were moved stay a sum."""
    total = recorder.totals.get(source)
    if total is not None:
        recorder.totals[made] = replace(total, moves=(*total.moves, move))


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
    permutation = tuple(int(axis) for axis in step.params["permutation"])
    held = recorder.builder.shape(source)
    long = [axis for axis in permutation if held[axis] > 1]
    # Only axes of length 1 have moved; in a matrix they may be what it is of.
    if long == sorted(long) and len(held) > 2:
        return reshaped(recorder, step)
    key = (source, permutation)
    if key not in recorder.permuted:
        made = recorder.builder.permute("transpose", source, permutation)
        recorder.permuted[key] = made
    made = recorder.permuted[key]
    place(recorder, source, made, {old: new for new, old in enumerate(permutation)})
    if source in recorder.views:
        recorder.views[made] = recorder.views[source]
    moved(recorder, source, made, ("permute", permutation))
    return [made]


def broadcast(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add copies along axes, or only axes of length 1."""
    source = recorder.draft(step.inputs[0])
    shape, axes = step.shapes[0], step.params["broadcast_dimensions"]
    held = recorder.builder.shape(source)
    if int(np.prod(held)) == int(np.prod(shape)):
        return reshaped(recorder, step)
    axes = tuple(int(axis) for axis in axes)
    made = recorder.builder.broadcast("broadcast", source, shape, axes)
    if source in recorder.views:
        lengths = dict(zip(axes, held, strict=True))
        thin = tuple(lengths.get(axis, 1) for axis in range(len(shape)))
        source = recorder.thin.get(source, source)
        recorder.thin[made] = recorder.builder.reshape("broadcast", source, thin)
        recorder.views[made] = recorder.views[source]
    return [made]


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
        start = int(step.params["round"])
        made = recorder.builder.pick(
            "slice", source, step.shapes[0], axis=0, start=start, is_dropped=True
        )
        if source in recorder.views:
            recorder.views[made] = recorder.views[source]
        return [made]
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
    made = recorder.builder.concat("concatenate", inputs, axis)
    is_last = axis == len(step.shapes[0]) - 1
    if is_last and len(inputs) == step.shapes[0][axis]:
        recorder.columns[made] = inputs
    return [made]


def passed_on(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add nothing: every output is its input."""
    return [recorder.draft(source) for source in step.inputs]


def repeated(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add what a loop gave in each round: as in the last one that is laid open."""
    source, shape = recorder.draft(step.inputs[0]), step.shapes[0]
    axes = range(1, len(shape))
    return [recorder.builder.broadcast("rounds", source, shape, tuple(axes))]


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


TRANSLATORS: Mapping[str, Translator] = {
    "broadcast_in_dim": broadcast,
    "concatenate": concatenated,
    "convert_element_type": cast,
    "copy": reshaped,
    "copy_p": reshaped,
    "dynamic_slice": dynamically_sliced,
    "expand_dims": reshaped,
    "layout_constraint": reshaped,
    "optimization_barrier": passed_on,
    "pcast": reshaped,
    "pvary": reshaped,
    "pad": padded,
    "reduce_precision": reshaped,
    "reshape": reshaped,
    "reshard": reshaped,
    "rounds": repeated,
    "rev": flipped,
    "sharding_constraint": reshaped,
    "slice": sliced,
    "split": split,
    "squeeze": reshaped,
    "stack": stacked,
    "stop_gradient": reshaped,
    "transpose": permuted,
}
"""By JAX's name of the primitive."""
