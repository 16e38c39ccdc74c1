"""TensorFlow's operations that move, copy or choose numbers, as the builder's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.frameworks._tfgraph.lists import stack
from fanin.frameworks._tfgraph.recorder import as_truth, opaque, pointwise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._tfgraph.recorder import Recorder, Translator
    from fanin.frameworks._tfgraph.steps import Step


def reshaped(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a step that keeps all numbers in row-major order: reshape, copy, cast."""
    source = recorder.draft(step.inputs[0])
    made = recorder.builder.reshape(step.kind, source, step.shapes[0])
    recorder.carry(source, made)
    return [made]


def same(recorder: Recorder, step: Step) -> Sequence[int]:
    """Hand each input on as the output of its place."""
    return [recorder.draft(source) for source in step.inputs]


def cast(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a change of dtype: to truth values and whole numbers it is a function."""
    source = recorder.draft(step.inputs[0])
    given, wanted = recorder.dtype(step.inputs[0]), step.dtypes[0]
    if wanted == "bool":
        return [recorder.builder.pointwise(step.kind, [source], as_truth)]
    if "int" in wanted and "float" in given:
        return [recorder.builder.pointwise(step.kind, [source], np.trunc)]
    return reshaped(recorder, step)


def permuted(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a transposition."""
    source, axes = recorder.draft(step.inputs[0]), recorder.numbers(step.inputs[1])
    if axes is None:
        return opaque(recorder, step)
    made = recorder.builder.permute(step.kind, source, axes)
    recorder.carry(source, made)
    return [made]


def broadcast(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add copies along axes, or only axes of length 1."""
    source = recorder.draft(step.inputs[0])
    if np.prod(recorder.builder.shape(source)) == np.prod(step.shapes[0]):
        return reshaped(recorder, step)
    made = recorder.builder.broadcast(step.kind, source, step.shapes[0])
    recorder.copies.add(made)
    return [made]


def tiled(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add copies side by side: along an axis of length 1 they broadcast."""
    source, times = recorder.draft(step.inputs[0]), recorder.numbers(step.inputs[1])
    if times is None:
        return moved(recorder, step)
    held = recorder.builder.shape(source)
    if all(n == 1 or m == 1 for n, m in zip(held, times, strict=True)):
        return broadcast(recorder, step)
    for axis, m in enumerate(times):
        if m > 1:
            source = recorder.builder.concat(step.kind, [source] * m, axis)
    return [source]


def moved(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add numbers of the first input in another order: padded, rolled, picked."""
    source = recorder.draft(step.inputs[0])
    return [recorder.builder.pick(step.kind, source, shape) for shape in step.shapes]


def concatenated(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add tensors laid side by side; one without entries is left out."""
    *parts, last = step.inputs
    axes = recorder.numbers(last)
    if axes is None:
        return opaque(recorder, step)
    drafts = [recorder.draft(source) for source in parts]
    full = [draft for draft in drafts if np.prod(recorder.builder.shape(draft))]
    return [recorder.builder.concat(step.kind, full or drafts, axes[0])]


def packed(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add tensors laid side by side along an axis of their own."""
    entries = [recorder.draft(source) for source in step.inputs]
    axis = int(step.attributes["axis"]) % len(step.shapes[0])
    return [stack(recorder, step.kind, entries, axis)]


def multiplied(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a product, and note where it is one with a number."""
    made = pointwise(recorder, step)
    for place in (0, 1):
        factor = recorder.scalar(step.inputs[place])
        if factor is not None:
            source = recorder.draft(step.inputs[1 - place])
            recorder.products[made[0]] = (source, factor)
    return made


def biased(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a bias along the channels, wherever they lie."""
    if step.attributes["data_format"] == "NHWC":
        return pointwise(recorder, step)
    source, bias = (recorder.draft(given) for given in step.inputs)
    shape = (*recorder.builder.shape(bias), *(1,) * (len(step.shapes[0]) - 2))
    along = recorder.builder.reshape(step.kind, bias, shape)
    inputs = [source, along]
    return [recorder.builder.pointwise(step.kind, inputs, np.add, rule="add")]


def one_hot(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a comparison of whole numbers with every class: one hot."""
    known = [recorder.scalar(source) for source in step.inputs[2:]]
    last = int(step.attributes["axis"]) in {-1, len(step.shapes[0]) - 1}
    if known != [1.0, 0.0] or not last:
        return opaque(recorder, step)
    indices = recorder.draft(step.inputs[0])
    shape = (*recorder.builder.shape(indices), 1)
    column = recorder.builder.reshape(step.kind, indices, shape)
    classes = recorder.builder.constant(np.arange(step.shapes[0][-1], dtype=float))
    inputs = [column, classes]
    return [recorder.builder.pointwise(step.kind, inputs, np.equal)]


TRANSLATORS: Final[Mapping[str, Translator]] = {
    "BiasAdd": biased,
    "BatchToSpaceND": moved,
    "BroadcastTo": broadcast,
    "Cast": cast,
    "CheckNumerics": reshaped,
    "ConcatV2": concatenated,
    "DepthToSpace": moved,
    "EnsureShape": reshaped,
    "ExpandDims": reshaped,
    "GatherNd": moved,
    "Identity": same,
    "IdentityN": same,
    "MatrixDiagPartV3": moved,
    "MirrorPad": moved,
    "Mul": multiplied,
    "OneHot": one_hot,
    "Pack": packed,
    "Pad": moved,
    "PadV2": moved,
    "PreventGradient": reshaped,
    "Reshape": reshaped,
    "ResizeNearestNeighbor": moved,
    "Roll": moved,
    "Snapshot": same,
    "SpaceToBatchND": moved,
    "SpaceToDepth": moved,
    "Squeeze": reshaped,
    "StopGradient": reshaped,
    "Tile": tiled,
    "Transpose": permuted,
}
"""By TensorFlow's name of the operation."""
