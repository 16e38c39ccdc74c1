"""TensorFlow's operations that take a part of a tensor, as the builder's."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Final

from fanin.frameworks._tfgraph.recorder import opaque
from fanin.frameworks._tfgraph.shaping import moved, reshaped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._tfgraph.recorder import Recorder, Translator
    from fanin.frameworks._tfgraph.steps import Step


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What is taken along one axis of length ``length``; all of it by default."""

    length: int
    start: int = 0
    step: int = 1
    taken: int
    is_dropped: bool = False

    @property
    def is_whole(self) -> bool:
        """Say whether every entry is taken, in order."""
        return not self.is_dropped and self.step == 1 and self.taken == self.length


def sliced(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a ``StridedSlice``; cut along one axis it says which part is taken."""
    source = recorder.draft(step.inputs[0])
    known = [recorder.numbers(given) for given in step.inputs[1:]]
    limits = [limit for limit in known if limit is not None]
    if len(limits) < len(known):
        return moved(recorder, step)
    items = _items(step.attributes, *limits)
    cuts = _cuts(items, recorder.builder.shape(source))
    stacked = recorder.stacks.get(source)
    if stacked is not None and cuts[0].is_dropped and _is_one(cuts):
        return [stacked[cuts[0].start]]
    return [_taken(recorder, step, source, cuts)]


def _is_one(cuts: Sequence[Cut]) -> bool:
    """Say whether one entry along axis 0 is all that is taken, and taken whole."""
    return all(cut.is_whole for cut in cuts[1:])


def _items(
    settings: Mapping[str, Any],
    begin: Sequence[int],
    end: Sequence[int],
    strides: Sequence[int],
) -> list[Any]:
    """Write a slice's limits and masks down as Python's indices."""

    def is_set(mask: str, place: int) -> bool:
        return bool(int(settings[mask]) >> place & 1)

    def item(place: int) -> Any:
        if is_set("ellipsis_mask", place):
            return Ellipsis
        if is_set("new_axis_mask", place):
            return None
        if is_set("shrink_axis_mask", place):
            return begin[place]
        first = None if is_set("begin_mask", place) else begin[place]
        last = None if is_set("end_mask", place) else end[place]
        return slice(first, last, strides[place])

    return [item(place) for place in range(len(begin))]


def _cuts(items: Sequence[Any], shape: tuple[int, ...]) -> list[Cut]:
    """Give the cut along each axis; axes put in are seen in the output's shape."""
    given = [item for item in items if item is not None]
    n_free = len(shape) - len([item for item in given if item is not Ellipsis])
    free = [slice(None)] * n_free
    place = next((i for i, item in enumerate(given) if item is Ellipsis), len(given))
    whole = [*given[:place], *free, *given[place + 1 :]]
    return [_cut(item, n) for item, n in zip(whole, shape, strict=True)]


def _cut(item: Any, length: int) -> Cut:
    if isinstance(item, int):
        return Cut(length=length, start=item % length, taken=1, is_dropped=True)
    taken = range(*item.indices(length))
    return Cut(length=length, start=taken.start, step=taken.step, taken=len(taken))


def _taken(recorder: Recorder, step: Step, source: int, cuts: Sequence[Cut]) -> int:
    builder, shape = recorder.builder, step.shapes[0]
    axes = [axis for axis, cut in enumerate(cuts) if not cut.is_whole]
    if not axes or builder.shape(source) == shape == ():
        made = builder.reshape(step.kind, source, shape)
        recorder.carry(source, made)
        return made
    kept = tuple(cut.taken for cut in cuts if not cut.is_dropped)
    if len(axes) > 1 or cuts[axes[0]].step < 0:
        made = builder.pick(step.kind, source, kept)
    else:
        cut = cuts[axes[0]]
        made = builder.pick(
            step.kind,
            source,
            kept,
            axis=axes[0],
            start=cut.start,
            step=cut.step,
            is_dropped=cut.is_dropped,
        )
    return made if kept == shape else builder.reshape(step.kind, made, shape)


def cut_out(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a ``Slice``: from a beginning, as long as the output."""
    source, begin = recorder.draft(step.inputs[0]), recorder.numbers(step.inputs[1])
    if begin is None:
        return moved(recorder, step)
    held = recorder.builder.shape(source)
    cuts = [
        Cut(length=n, start=first, taken=taken)
        for n, first, taken in zip(held, begin, step.shapes[0], strict=True)
    ]
    return [_taken(recorder, step, source, cuts)]


def split(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add the parts of a tensor cut along one axis: ``Split`` and ``SplitV``."""
    place, axis_place = (1, 0) if step.kind == "Split" else (0, 2)
    axes = recorder.numbers(step.inputs[axis_place])
    if axes is None:
        return opaque(recorder, step)
    source = recorder.draft(step.inputs[place])
    axis = axes[0] % len(step.shapes[0])
    made, start = [], 0
    for shape in step.shapes:
        part = recorder.builder.pick(step.kind, source, shape, axis=axis, start=start)
        made.append(part)
        start += shape[axis]
    return made


def unpacked(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add the entries of a tensor along one axis, which is no longer there."""
    source = recorder.draft(step.inputs[0])
    axis = int(step.attributes["axis"]) % len(recorder.builder.shape(source))
    return [
        recorder.builder.pick(
            step.kind, source, shape, axis=axis, start=index, is_dropped=True
        )
        for index, shape in enumerate(step.shapes)
    ]


def gathered(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add rows of a table, whole rows along its first axis; any other is a pick."""
    table, axes = recorder.draft(step.inputs[0]), recorder.numbers(step.inputs[2])
    indices = recorder.draft(step.inputs[1])
    is_plain = axes == (0,) and not step.attributes["batch_dims"]
    if not is_plain or len(recorder.builder.shape(table)) == 0:
        return _one_or_many(recorder, step, table, axes)
    if recorder.number(step.inputs[1]) is not None and table not in recorder.views:
        return _one_or_many(recorder, step, table, axes)
    return [recorder.builder.lookup(step.kind, table, indices)]


def _one_or_many(
    recorder: Recorder, step: Step, table: int, axes: tuple[int, ...] | None
) -> Sequence[int]:
    """Add entries along one axis; a single known one says which it is."""
    index, held = recorder.scalar(step.inputs[1]), recorder.builder.shape(table)
    if index is None or axes is None or step.attributes["batch_dims"]:
        return moved(recorder, step)
    axis = axes[0] % len(held)
    if prod(step.shapes[0]) * held[axis] != prod(held):
        return moved(recorder, step)
    rest = (*held[:axis], *held[axis + 1 :])
    start = int(index) % held[axis]
    made = recorder.builder.pick(
        step.kind, table, rest, axis=axis, start=start, is_dropped=True
    )
    return [recorder.builder.reshape(step.kind, made, step.shapes[0])]


def turned_round(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a reversal of axes; in a kernel it changes no statistic and no role."""
    source = recorder.draft(step.inputs[0])
    if source in recorder.views:
        return reshaped(recorder, step)
    return moved(recorder, step)


TRANSLATORS: Final[Mapping[str, Translator]] = {
    "GatherV2": gathered,
    "ReverseV2": turned_round,
    "Slice": cut_out,
    "Split": split,
    "SplitV": split,
    "StridedSlice": sliced,
    "Unpack": unpacked,
}
"""By TensorFlow's name of the operation."""
