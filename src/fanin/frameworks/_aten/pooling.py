"""ATen operations that reduce windows: pooling of a size, pooling to a size, fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.windows import WindowAxis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._aten.call import Call
    from fanin.frameworks._aten.translate import Translator, Values


def _pooled(values: Values, call: Call) -> Sequence[int]:
    source = values.value_of(call.tensors[0])
    n_spatial = int(call.name.split("pool")[1][0])
    before, after = values.builder.shape(source), call.shape
    if len(after) < n_spatial:
        return []
    kernel = _each(call["kernel_size"], n_spatial)
    stride = _each(call["stride"] or kernel, n_spatial)
    padding = _each(call["padding"], n_spatial)
    dilation = _each(call.get("dilation") or 1, n_spatial)
    first = len(after) - n_spatial
    windows = [
        WindowAxis(
            axis=first + i,
            n_in=before[first + i],
            n_out=after[first + i],
            kernel=kernel[i],
            stride=stride[i],
            low=padding[i],
            dilation=dilation[i],
        )
        for i in range(n_spatial)
    ]
    return [_pool(values, call, source, windows)]


def _each(setting: Sequence[int] | int, rank: int) -> tuple[int, ...]:
    """One setting an axis, where torch allows one for all."""
    given = (setting,) if isinstance(setting, int) else tuple(int(n) for n in setting)
    return given * rank if len(given) == 1 else given


def _pool(
    values: Values, call: Call, source: int, windows: Sequence[WindowAxis]
) -> int:
    kind = "max" if "max" in call.name else "mean"
    name = call.full_name
    return values.builder.pool(name, source, call.shape, kind=kind, windows=windows)


def _pooled_to_size(values: Values, call: Call) -> Sequence[int]:
    """Adaptive pooling: windows of about input ÷ output."""
    source = values.value_of(call.tensors[0])
    before, after = values.builder.shape(source), call.shape
    windows = [
        WindowAxis(axis=i, n_in=n, n_out=m, kernel=-(-n // m), stride=max(1, n // m))
        for i, (n, m) in enumerate(zip(before, after, strict=True))
        if 0 < m < n
    ]
    return [_pool(values, call, source, windows)]


def _folded(values: Values, call: Call) -> Sequence[int]:
    """Patches laid side by side; where they overlap, nothing is said of the sum."""
    source = values.value_of(call.tensors[0])
    builder = values.builder
    n_in, n_out = call.tensors[0].numel(), call.outputs[0].numel()
    if n_in <= n_out:
        return [builder.pick(call.full_name, source, call.shape)]
    return []


_POOLS = (
    "max_pool2d_with_indices",
    "max_pool3d_with_indices",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
)
_TO_SIZE = (
    "_adaptive_avg_pool2d",
    "_adaptive_avg_pool3d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
)

TRANSLATORS: Mapping[str, Translator] = {
    **dict.fromkeys(_POOLS, _pooled),
    **dict.fromkeys(_TO_SIZE, _pooled_to_size),
    "col2im": _folded,
}
