"""TensorFlow's choices between two tensors, as the builder's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.frameworks._tfgraph.recorder import as_untruth, pointwise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._tfgraph.recorder import Recorder, Translator
    from fanin.frameworks._tfgraph.steps import Step


def selected(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a choice between two cases, unless it is known which one is taken.

    A choice of whole numbers wraps a negative index, of which the second case is the
    index; one by a random mask between numbers and 0 is dropout.
    """
    which, _, second = step.inputs
    known = recorder.scalar(which)
    if known is not None:
        return _one_of(recorder, step, 1 if known else 2)
    if "int" in step.dtypes[0]:
        return _one_of(recorder, step, 2)
    if recorder.is_random(which) and recorder.scalar(second) == 0.0:
        return _masked(recorder, step)
    if _stands_apart(recorder, step):
        return _blended(recorder, step)
    return pointwise(recorder, step)


def _stands_apart(recorder: Recorder, step: Step) -> bool:
    """Say whether the condition is of whole samples or positions, or was drawn.

    Then it is no function of the entries that it chooses from.
    """
    which = step.inputs[0]
    if recorder.is_random(which):
        return True
    held = recorder.builder.shape(recorder.draft(which))
    return held != step.shapes[0] or recorder.draft(which) in recorder.copies


def _blended(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add the choice as a sum: the first times the mask, the second times the rest."""
    builder = recorder.builder
    which, first, second = (recorder.draft(source) for source in step.inputs)
    if recorder.is_random(step.inputs[0]):
        rest = builder.random(step.kind, builder.shape(which))
    else:
        rest = builder.pointwise(step.kind, [which], as_untruth)
    parts = [
        builder.pointwise(step.kind, [case, mask], np.multiply, rule="multiply")
        for case, mask in ((first, which), (second, rest))
    ]
    return [builder.pointwise(step.kind, parts, np.add, rule="add")]


def _masked(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add dropout; TensorFlow divides by the share kept beforehand."""
    which, source = (recorder.draft(given) for given in step.inputs[:2])
    whole, factor = recorder.products.get(source, (source, 1.0))
    keep = recorder.keep(step.inputs[0])
    if np.isclose(factor * keep, 1.0, rtol=1e-6):
        return [recorder.builder.noise("dropout", whole, p=round(1.0 - keep, 6))]
    inputs = [source, which]
    made = recorder.builder.pointwise(step.kind, inputs, np.multiply, rule="multiply")
    return [made]


def _one_of(recorder: Recorder, step: Step, place: int) -> Sequence[int]:
    source = recorder.draft(step.inputs[place])
    if recorder.builder.shape(source) == step.shapes[0]:
        return [source]
    return [recorder.builder.broadcast(step.kind, source, step.shapes[0])]


TRANSLATORS: Final[Mapping[str, Translator]] = {
    "Select": selected,
    "SelectV2": selected,
}
"""By TensorFlow's name of the operation."""
