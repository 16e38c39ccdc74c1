"""Dilated convolutions, which TensorFlow cuts into plain ones over every n-th entry.

``SpaceToBatchND`` moves the entries that one window meets side by side, a plain
convolution runs on them, ``BatchToSpaceND`` moves the sums back: together they are one
convolution with steps between its taps, and here become one step.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from fanin.frameworks._tfgraph.steps import Constant, Step, values_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._tfgraph.steps import Source

INNER: Final = frozenset({"Conv2D", "DepthwiseConv2dNative"})
"""Convolutions that TensorFlow dilates in this way."""


def with_dilated(steps: Sequence[Step]) -> list[Step]:
    """Put one step in the place of the three that make a dilated convolution."""
    makers = {value: step for step in steps for value in step.outputs}
    readers = Counter(source for step in steps for source in values_in(step.inputs))
    joined: dict[int, Step] = {}
    replaced: set[int] = set()
    for step in steps:
        parts = _parts(step, makers, readers)
        if parts is not None:
            joined[id(step)] = _joined(*parts)
            replaced.update(id(part) for part in parts[:2])
    kept = (step for step in steps if id(step) not in replaced)
    return [joined.get(id(step), step) for step in kept]


def _parts(
    last: Step, makers: Mapping[int, Step], readers: Mapping[int, int]
) -> tuple[Step, Step, Step] | None:
    """Give the three steps that end in this one; None if they are not those."""
    if last.kind != "BatchToSpaceND":
        return None
    inner = _only_maker(last.inputs[0], makers, readers)
    if inner is None or inner.kind not in INNER or not _is_plain(inner):
        return None
    first = _only_maker(inner.inputs[0], makers, readers)
    if first is None or first.kind != "SpaceToBatchND":
        return None
    known = (*first.inputs[1:], *last.inputs[1:])
    if not all(isinstance(source, Constant) for source in known):
        return None
    is_cut_in_front = any(crop[0] for crop in _numbers(last.inputs[2]))
    return None if is_cut_in_front else (first, inner, last)


def _only_maker(
    source: Source, makers: Mapping[int, Step], readers: Mapping[int, int]
) -> Step | None:
    if isinstance(source, Constant) or readers[source] != 1:
        return None
    return makers.get(source)


def _is_plain(inner: Step) -> bool:
    settings = inner.attributes
    is_last = settings["data_format"] == "NHWC"
    return (
        is_last and settings["padding"] == "VALID" and set(settings["strides"]) == {1}
    )


def _joined(first: Step, inner: Step, last: Step) -> Step:
    steps = [int(n) for n in _numbers(first.inputs[1])]
    pads = [[int(n) for n in pair] for pair in _numbers(first.inputs[2])]
    n_left = 2 - len(steps)
    ends: list[list[int]] = [[0, 0], *pads, *[[0, 0]] * n_left, [0, 0]]
    settings = dict(inner.attributes) | {
        "padding": "EXPLICIT",
        "explicit_paddings": [n for pair in ends for n in pair],
        "dilations": [1, *steps, *[1] * n_left, 1],
    }

    def run(values: Any, weight: Any) -> Sequence[Any]:
        moved = first.run(values, *map(_value, first.inputs[1:]))
        made = inner.run(*moved, weight)
        return last.run(*made, *map(_value, last.inputs[1:]))

    return replace(
        inner,
        inputs=(first.inputs[0], inner.inputs[1]),
        outputs=last.outputs,
        shapes=last.shapes,
        run=run,
        attributes=settings,
    )


def _numbers(source: Source) -> Any:
    return _value(source).numpy()


def _value(source: Source) -> Any:
    return source.value if isinstance(source, Constant) else None
