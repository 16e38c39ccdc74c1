"""ATen operations that move numbers: views, slices, joins, reductions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.frameworks._aten.memory import same_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._aten.call import Call
    from fanin.frameworks._aten.translate import Translator, Values


def _source(values: Values, call: Call) -> int:
    return values.value_of(call.tensors[0])


def _reshaped(values: Values, call: Call) -> Sequence[int]:
    source = _source(values, call)
    builder = values.builder
    if builder.shape(source) == call.shape:
        return [source]
    return [builder.reshape(call.full_name, source, call.shape)]


def _permuted(values: Values, call: Call) -> Sequence[int]:
    source = _source(values, call)
    rank = len(values.builder.shape(source))
    axes = list(range(rank))
    if call.name == "permute":
        axes = [int(axis) for axis in call["dims"]]
    elif call.name == "t":
        axes = axes[::-1]
    else:
        first, second = int(call["dim0"]) % rank, int(call["dim1"]) % rank
        axes[first], axes[second] = axes[second], axes[first]
    return [values.builder.permute(call.full_name, source, axes)]


def _expanded(values: Values, call: Call) -> Sequence[int]:
    source = _source(values, call)
    builder = values.builder
    if builder.shape(source) == call.shape:
        return [source]
    return [builder.broadcast(call.full_name, source, call.shape)]


def _sliced(values: Values, call: Call) -> Sequence[int]:
    source = _source(values, call)
    builder = values.builder
    if builder.shape(source) == call.shape:
        return [source]
    axis = int(call["dim"]) % len(builder.shape(source))
    start = int(call["start"] or 0) % builder.shape(source)[axis]
    step = int(call.get("step") or 1)
    name = call.full_name
    made = builder.pick(name, source, call.shape, axis=axis, start=start, step=step)
    return [made]


def _selected(values: Values, call: Call) -> Sequence[int]:
    source = _source(values, call)
    shape = values.builder.shape(source)
    axis = int(call["dim"]) % len(shape)
    start = int(call["index"]) % shape[axis]
    return [_one(values, call, source, axis, start)]


def _one(values: Values, call: Call, source: int, axis: int, start: int) -> int:
    shape = values.builder.shape(source)
    left = (*shape[:axis], *shape[axis + 1 :])
    name = call.full_name
    return values.builder.pick(
        name, source, left, axis=axis, start=start, is_dropped=True
    )


def _unbound(values: Values, call: Call) -> Sequence[int]:
    source = _source(values, call)
    shape = values.builder.shape(source)
    axis = int(call["dim"]) % len(shape)
    return [_one(values, call, source, axis, start) for start in range(shape[axis])]


def _split(values: Values, call: Call) -> Sequence[int]:
    source = _source(values, call)
    builder = values.builder
    axis = int(call["dim"]) % len(builder.shape(source))
    found, start = [], 0
    for output in call.outputs:
        shape = tuple(output.shape)
        part = builder.pick(call.full_name, source, shape, axis=axis, start=start)
        found.append(source if shape == builder.shape(source) else part)
        start += shape[axis]
    return found


def _strided(values: Values, call: Call) -> Sequence[int]:
    """A view by strides: the same tensor, or entries of it, some of them often."""
    source = _source(values, call)
    tensor = call.tensors[0]
    if tensor.is_contiguous() and same_numbers(tensor, call.outputs[0]):
        return [source]
    if values.builder.shape(source) == call.shape:
        return [source]
    return [values.builder.pick(call.full_name, source, call.shape)]


def _picked(values: Values, call: Call) -> Sequence[int]:
    """Some entries in some order: roll, flip, unfold, gather, index."""
    source = _source(values, call)
    return [values.builder.pick(call.full_name, source, call.shape)]


def _padded(values: Values, call: Call) -> Sequence[int]:
    """Zeros (or another number) laid beside the tensor, axis by axis."""
    builder = values.builder
    source = _source(values, call)
    pads: Any = call["pad"]
    rank = len(builder.shape(source))
    for pair in range(len(pads) // 2):
        axis = rank - 1 - pair
        source = _padded_axis(values, call, source, axis, pads[2 * pair : 2 * pair + 2])
    return [source]


def _padded_axis(
    values: Values, call: Call, source: int, axis: int, pads: Sequence[int]
) -> int:
    builder = values.builder
    shape = builder.shape(source)
    if min(pads) < 0:
        length = shape[axis] + sum(min(0, int(n)) for n in pads)
        cut = (*shape[:axis], length, *shape[axis + 1 :])
        start = max(0, -int(pads[0]))
        source = builder.pick(call.full_name, source, cut, axis=axis, start=start)
        shape = cut
    parts = [source]
    number = builder.constant(float(call["value"] or 0.0))
    for is_last, length in enumerate(int(n) for n in pads):
        if length > 0:
            block = (*shape[:axis], length, *shape[axis + 1 :])
            beside = builder.broadcast("aten.full", number, block)
            parts.insert(len(parts) if is_last else 0, beside)
    if len(parts) == 1:
        return source
    return builder.concat(call.full_name, parts, axis)


def _joined(values: Values, call: Call) -> Sequence[int]:
    inputs = [values.value_of(t) for t in call.tensors if t.numel() or t.dim() > 1]
    if len(inputs) == 1:
        return inputs
    return [values.builder.concat(call.full_name, inputs, int(call["dim"]))]


def _stacked(values: Values, call: Call) -> Sequence[int]:
    """A new axis in each, then joined along it."""
    builder = values.builder
    rank = len(call.shape)
    axis = int(call["dim"]) % rank
    block = (*call.shape[:axis], 1, *call.shape[axis + 1 :])
    inputs = [
        builder.reshape(call.full_name, values.value_of(tensor), block)
        for tensor in call.tensors
    ]
    if len(inputs) == 1:
        return inputs
    return [builder.concat(call.full_name, inputs, axis)]


def _reduced(values: Values, call: Call) -> Sequence[int]:
    source = _source(values, call)
    rank = len(values.builder.shape(source))
    axes = call.get("dim")
    if axes is None or axes == []:
        axes = list(range(rank))
    elif isinstance(axes, int):
        axes = [axes]
    kind = {"amax": "max", "amin": "min"}.get(call.name, call.name)
    is_kept = len(call.shape) == rank
    name = call.full_name
    return [values.builder.reduce(name, source, axes, kind=kind, is_kept=is_kept)]


VIEWS: Mapping[str, Translator] = {
    "_reshape_alias": _reshaped,
    "_unsafe_view": _reshaped,
    "expand": _expanded,
    "permute": _permuted,
    "reshape": _reshaped,
    "select": _selected,
    "slice": _sliced,
    "split": _split,
    "split_with_sizes": _split,
    "squeeze": _reshaped,
    "t": _permuted,
    "transpose": _permuted,
    "unbind": _unbound,
    "unsafe_split": _split,
    "unsafe_split_with_sizes": _split,
    "unsqueeze": _reshaped,
    "view": _reshaped,
}
"""Operations that give (parts of) one tensor: a parameter is still that parameter."""

TRANSLATORS: Mapping[str, Translator] = {
    **VIEWS,
    "amax": _reduced,
    "amin": _reduced,
    "as_strided": _strided,
    "_pack_padded_sequence": _picked,
    "cat": _joined,
    "constant_pad_nd": _padded,
    "diagonal": _picked,
    "flip": _picked,
    "gather": _picked,
    "index": _picked,
    "mean": _reduced,
    "im2col": _picked,
    "native_channel_shuffle": _picked,
    "pixel_shuffle": _picked,
    "pixel_unshuffle": _picked,
    "reflection_pad1d": _picked,
    "reflection_pad2d": _picked,
    "reflection_pad3d": _picked,
    "repeat": _picked,
    "replication_pad1d": _picked,
    "replication_pad2d": _picked,
    "replication_pad3d": _picked,
    "roll": _picked,
    "stack": _stacked,
    "sum": _reduced,
    "unfold": _picked,
    "upsample_nearest1d": _picked,
    "upsample_nearest2d": _picked,
    "upsample_nearest3d": _picked,
}
