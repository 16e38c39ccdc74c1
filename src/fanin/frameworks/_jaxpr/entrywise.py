"""Steps that work entry by entry, and what is left where nothing else fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.frameworks._jaxpr.pointwise import RULES, function_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.frameworks._jaxpr.recorder import Recorder
    from fanin.frameworks._jaxpr.steps import Source, Step


def pointwise(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a step that works entry by entry."""
    function = function_of(step)
    if function is None or _compares_places(recorder, step):
        return counted(recorder, step) or opaque(recorder, step)
    inputs = [_operand(recorder, step, source) for source in step.inputs]
    rule = RULES.get(step.primitive, "")
    return [
        recorder.builder.pointwise(step.primitive, inputs, function, rule=rule),
    ]


def _operand(recorder: Recorder, step: Step, source: Source) -> int:
    """Give an operand: numbers drawn as they are, copies along axes by one of them."""
    if recorder.is_random(source) and np.isnan(recorder.keep(source)):
        numbers = recorder.drawn(source)
        if numbers is not None and numbers.dtype.kind == "f":
            return recorder.builder.constant(numbers)
    draft = recorder.draft(source)
    others = [s for s in step.inputs if s is not source]
    shapes = [recorder.builder.shape(recorder.draft(s)) for s in others]
    return recorder.thin.get(draft, draft) if step.shapes[0] in shapes else draft


def _compares_places(recorder: Recorder, step: Step) -> bool:
    """Say whether the step works on whole numbers of more than one table or tensor."""
    if any("float" in recorder.dtype(source) for source in step.inputs):
        return False
    several = [source for source in step.inputs if recorder.scalar(source) is None]
    return len(several) > 1 and "float" not in step.dtypes[0]


def counted(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a step that gives whole numbers or truth values alone: places, not sizes."""
    if any("float" in dtype or "complex" in dtype for dtype in step.dtypes):
        return []
    moving = [source for source in step.inputs if recorder.number(source) is None]
    if not moving:
        return []
    draft = recorder.draft(moving[0])
    return [recorder.builder.pick(step.primitive, draft, s) for s in step.shapes]


def opaque(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a step that is none that fanin knows."""
    inputs = [recorder.draft(source) for source in step.inputs]
    return [
        recorder.builder.opaque(step.primitive, inputs, shape) for shape in step.shapes
    ]
