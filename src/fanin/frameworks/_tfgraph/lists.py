"""The lists that TensorFlow's loops read from and write to, entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import tensorflow as tf

from fanin.frameworks._tfgraph.recorder import opaque
from fanin.frameworks._tfgraph.steps import Constant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._tfgraph.recorder import Recorder, Translator
    from fanin.frameworks._tfgraph.steps import Source, Step


def entries_of(recorder: Recorder, source: Source) -> tuple[int | None, ...] | None:
    """Give the drafts in a list; None if it is not known what is in it."""
    if not isinstance(source, Constant):
        return recorder.lists.get(source)
    if recorder.dtype(source) != "variant":
        return None
    return (None,) * int(tf.raw_ops.TensorListLength(input_handle=source.value))


def unstacked(recorder: Recorder, step: Step) -> Sequence[int]:
    """Make a list of a tensor's entries along axis 0."""
    source = recorder.draft(step.inputs[0])
    length, *rest = recorder.builder.shape(source)
    entries = tuple(
        recorder.builder.pick(
            step.kind, source, tuple(rest), axis=0, start=index, is_dropped=True
        )
        for index in range(length)
    )
    recorder.lists[step.outputs[0]] = entries
    return [recorder.builder.constant(None)]


def got(recorder: Recorder, step: Step) -> Sequence[int]:
    """Give the entry at an index; one that was never written is zeros."""
    entries, index = entries_of(recorder, step.inputs[0]), _index(recorder, step)
    if entries is None or index is None:
        return opaque(recorder, step)
    entry = entries[index]
    if entry is None:
        return [recorder.builder.constant(np.zeros(step.shapes[0]))]
    return [entry]


def written(recorder: Recorder, step: Step) -> Sequence[int]:
    """Make a list with another entry at an index."""
    entries, index = entries_of(recorder, step.inputs[0]), _index(recorder, step)
    if entries is None or index is None:
        return opaque(recorder, step)
    item = recorder.draft(step.inputs[2])
    changed = (*entries[:index], item, *entries[index + 1 :])
    recorder.lists[step.outputs[0]] = changed
    return [recorder.builder.constant(None)]


def stacked(recorder: Recorder, step: Step) -> Sequence[int]:
    """Lay the entries of a list side by side along an axis 0 of their own."""
    entries = entries_of(recorder, step.inputs[0])
    if not entries:
        return opaque(recorder, step)
    shape = step.shapes[0][1:]
    whole = tuple(
        recorder.builder.constant(np.zeros(shape)) if entry is None else entry
        for entry in entries
    )
    made = stack(recorder, step.kind, whole, 0)
    recorder.stacks[made] = whole
    return [made]


def stack(recorder: Recorder, name: str, entries: Sequence[int], axis: int) -> int:
    """Add tensors of one shape, side by side along a new axis."""
    shape = list(recorder.builder.shape(entries[0]))
    shape.insert(axis, 1)
    parts = [recorder.builder.reshape(name, e, tuple(shape)) for e in entries]
    if len(parts) == 1:
        recorder.carry(entries[0], parts[0])
        return parts[0]
    return recorder.builder.concat(name, parts, axis)


def _index(recorder: Recorder, step: Step) -> int | None:
    found = recorder.scalar(step.inputs[1])
    return None if found is None else int(found)


TRANSLATORS: Final[Mapping[str, Translator]] = {
    "TensorListFromTensor": unstacked,
    "TensorListGetItem": got,
    "TensorListSetItem": written,
    "TensorListStack": stacked,
}
"""By TensorFlow's name of the operation."""
