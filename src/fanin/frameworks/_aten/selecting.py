"""ATen operations that rank, accumulate or measure entries: topk, cumsum, norms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.windows import WindowAxis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._aten.call import Call
    from fanin.frameworks._aten.translate import Translator, Values


def _source(values: Values, call: Call) -> int:
    return values.value_of(call.tensors[0])


def _largest(values: Values, call: Call) -> Sequence[int]:
    """The k largest of n: as many windows, each of n ÷ k entries, and their maxima.

    Which entries share a window is not known; the indices are whole numbers.
    """
    source = _source(values, call)
    builder = values.builder
    axis = int(call["dim"]) % len(builder.shape(source))
    n, k = builder.shape(source)[axis], call.shape[axis]
    if n == k:
        return [builder.pick(call.full_name, source, call.shape)]
    size = max(1, n // k)
    window = WindowAxis(axis=axis, n_in=n, n_out=k, kernel=-(-n // k), stride=size)
    kind = "max" if call.get("largest") in {None, True} else "min"
    name = call.full_name
    return [builder.pool(name, source, call.shape, kind=kind, windows=[window])]


def _sorted(values: Values, call: Call) -> Sequence[int]:
    """The same entries in another order."""
    return [values.builder.pick(call.full_name, _source(values, call), call.shape)]


def _accumulated(values: Values, call: Call) -> Sequence[int]:
    """Sums from the first entry to each: windows that reach back over the start."""
    source = _source(values, call)
    builder = values.builder
    shape = builder.shape(source)
    if not shape:
        return [source]
    axis = int(call["dim"]) % len(shape)
    n = shape[axis]
    window = WindowAxis(axis=axis, n_in=n, n_out=n, kernel=n, low=n - 1)
    kind = {"cumsum": "sum", "cummax": "max", "cummin": "min"}[call.name]
    name = call.full_name
    return [builder.pool(name, source, call.shape, kind=kind, windows=[window])]


def _extreme(values: Values, call: Call) -> Sequence[int]:
    """The largest or smallest entry, over an axis or over all."""
    source = _source(values, call)
    rank = len(values.builder.shape(source))
    axes = [int(call["dim"])] if "dim" in call.arguments else list(range(rank))
    is_kept = bool(call.get("keepdim"))
    kind = call.name
    name = call.full_name
    return [values.builder.reduce(name, source, axes, kind=kind, is_kept=is_kept)]


def _norm(values: Values, call: Call) -> Sequence[int]:
    """A p-norm, taken apart: powers, their sum, its root."""
    source = _source(values, call)
    builder = values.builder
    order = call.get("ord", "p")
    order = 2.0 if order is None else float(order)
    if order <= 0.0:
        return []
    rank = len(builder.shape(source))
    axes = call.get("dim")
    over = list(range(rank)) if axes in (None, []) else np.atleast_1d(axes).tolist()
    is_kept = bool(call.get("keepdim"))
    name = call.full_name
    if order == float("inf"):
        sizes = builder.pointwise(name, [source], np.abs)
        return [builder.reduce(name, sizes, over, kind="max", is_kept=is_kept)]
    powers = builder.pointwise(name, [source], lambda x: np.abs(x) ** order)
    total = builder.reduce(name, powers, over, kind="sum", is_kept=is_kept)
    return [builder.pointwise(name, [total], lambda x: x ** (1.0 / order))]


def _spread(values: Values, call: Call) -> Sequence[int]:
    """A variance or its root, and the mean where asked for; divided by n − 1 or n."""
    source = _source(values, call)
    builder = values.builder
    shape = builder.shape(source)
    axes = call.get("dim")
    over = (
        list(range(len(shape))) if axes in (None, []) else np.atleast_1d(axes).tolist()
    )
    is_kept = bool(call.get("keepdim"))
    n = float(np.prod([shape[axis] for axis in over])) if over else 1.0
    left = n - float(1 if call.get("correction") is None else call["correction"])
    if left <= 0.0:
        return []
    name = call.full_name
    made = builder.reduce(name, source, over, kind="var", is_kept=is_kept)
    if left != n:
        factor = builder.constant(n / left)
        made = builder.pointwise(name, [made, factor], np.multiply, rule="multiply")
    if call.name.startswith("std"):
        made = builder.pointwise(name, [made], np.sqrt)
    if not call.name.endswith("_mean"):
        return [made]
    mean = builder.reduce(name, source, over, kind="mean", is_kept=is_kept)
    return [made, mean]


def _log_of_sum(values: Values, call: Call) -> Sequence[int]:
    """logsumexp, taken apart."""
    builder = values.builder
    name = call.full_name
    powers = builder.pointwise(name, [_source(values, call)], np.exp)
    over = np.atleast_1d(call["dim"]).tolist()
    is_kept = bool(call.get("keepdim"))
    total = builder.reduce(name, powers, over, kind="sum", is_kept=is_kept)
    return [builder.pointwise(name, [total], np.log)]


TRANSLATORS: Mapping[str, Translator] = {
    "cummax": _accumulated,
    "cummin": _accumulated,
    "cumsum": _accumulated,
    "linalg_vector_norm": _norm,
    "logsumexp": _log_of_sum,
    "max": _extreme,
    "min": _extreme,
    "norm": _norm,
    "sort": _sorted,
    "std": _spread,
    "std_mean": _spread,
    "topk": _largest,
    "var": _spread,
    "var_mean": _spread,
}
