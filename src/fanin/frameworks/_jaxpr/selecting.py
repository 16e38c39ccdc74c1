"""JAX's primitives that choose, rank, accumulate or put entries, as the builder's.

Entries put into a tensor are ``new·mask + old·(1 − mask)`` with a mask of ones where
they go: a product and a sum, which need no rule of their own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import jax.numpy as jnp
import numpy as np

from fanin.frameworks._jaxpr.entrywise import pointwise
from fanin.frameworks._jaxpr.recorder import MOST_FOLDED
from fanin.graph.windows import WindowAxis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._jaxpr.recorder import Recorder, Translator
    from fanin.frameworks._jaxpr.steps import Source, Step

LARGE: Final = 1e3
"""A number past which filling it in shuts an entry out of a softmax or a maximum."""


def selected(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a choice between cases, unless it is known which one is taken.

    A choice of whole numbers wraps a negative index; one between numbers and NaN marks
    an index out of range; one by a random mask between a number and 0 is dropout.
    """
    which, *cases = step.inputs
    taken = _taken(recorder, step)
    if taken is not None:
        return _same(recorder, step, 1 + taken)
    if recorder.is_random(which) and recorder.scalar(cases[0]) == 0.0:
        return masked(recorder, step, keep=recorder.keep(which))
    mask = recorder.number(which)
    if mask is None or len(cases) != 2 or _shuts_out(recorder, cases):
        return _sloped(recorder, step) or pointwise(recorder, step)
    old, new = (recorder.draft(case) for case in cases)
    return [_mixed(recorder, step, old=old, new=new, mask=mask.astype(bool))]


def _taken(recorder: Recorder, step: Step) -> int | None:
    """Say which case is always taken, if one is."""
    which, *cases = step.inputs
    known = recorder.scalar(which)
    if known is not None:
        return int(known)
    if "int" in step.dtypes[0]:
        return 0
    for index, number in enumerate(map(recorder.number, cases)):
        if number is not None and number.dtype.kind == "f" and np.isnan(number).all():
            return 1 - index
    return None


def masked(recorder: Recorder, step: Step, *, keep: float) -> Sequence[int]:
    """Add dropout: the last input, or 0; JAX divides by the share kept beforehand."""
    which, source = recorder.draft(step.inputs[0]), recorder.draft(step.inputs[-1])
    whole, divisor = recorder.quotients.get(source, (source, 1.0))
    if np.isclose(divisor, keep, rtol=1e-6):
        return [recorder.builder.noise("dropout", whole, p=round(1.0 - keep, 6))]
    inputs = [source, which]
    return [
        recorder.builder.pointwise("select_n", inputs, np.multiply, rule="multiply")
    ]


def _same(recorder: Recorder, step: Step, index: int) -> Sequence[int]:
    source = recorder.draft(step.inputs[index])
    if recorder.builder.shape(source) == step.shapes[0]:
        return [source]
    return [recorder.builder.broadcast("select_n", source, step.shapes[0])]


def _sloped(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a choice between a value and its product with a learned slope."""
    which, *drafts = (recorder.draft(source) for source in step.inputs)
    for index, draft in enumerate(drafts):
        factors = recorder.products.get(draft, ())
        other = drafts[1 - index] if len(drafts) == 2 else -1
        slopes = [f for f in factors if f != other and _is_shown(recorder, f)]
        if other in factors and len(slopes) == 1:
            function = partial(_with_slope, sloped=index)
            inputs = [which, other, recorder.thin.get(slopes[0], slopes[0])]
            return [recorder.builder.pointwise("prelu", inputs, function)]
    return []


def _is_shown(recorder: Recorder, draft: int) -> bool:
    return draft in recorder.views or recorder.thin.get(draft) in recorder.views


def _with_slope(
    which: np.ndarray, z: np.ndarray, slope: np.ndarray, *, sloped: int
) -> np.ndarray:
    return np.where(which == sloped, slope * z, z)


def _shuts_out(recorder: Recorder, cases: Sequence[Source]) -> bool:
    numbers = [recorder.number(case) for case in cases]
    return any(
        number is not None and number.size > 0 and bool(np.abs(number).max() >= LARGE)
        for number in numbers
    )


def _mixed(
    recorder: Recorder, step: Step, *, old: int, new: int, mask: np.ndarray | None
) -> int:
    """Add ``new`` where the mask is true, and ``old`` elsewhere.

    mask: None where it is not known.
    """
    kept = None if mask is None else ~mask
    parts = [
        part
        for operand, places in ((old, kept), (new, mask))
        if (part := _where(recorder, step, operand, places)) is not None
    ]
    return _sum(recorder, step, parts)


def _sum(recorder: Recorder, step: Step, parts: Sequence[int]) -> int:
    builder, shape, name = recorder.builder, step.shapes[0], step.primitive
    if not parts:
        return builder.broadcast(name, builder.constant(0.0), shape)
    made = parts[0]
    if len(parts) == 2:
        made = builder.pointwise(name, parts, np.add, rule="add")
    if builder.shape(made) != shape:
        made = builder.broadcast(name, made, shape)
    return made


def _where(
    recorder: Recorder, step: Step, operand: int, places: np.ndarray | None
) -> int | None:
    """Add the operand times a mask; nothing where the product is zero."""
    builder = recorder.builder
    number = builder.drafts[operand].value
    is_zero = number is not None and number.size > 0 and not number.any()
    if is_zero or (places is not None and not places.any()):
        return None
    if places is not None and places.all():
        return operand
    held = None if places is None else places.astype(np.float64)
    factors = [operand, builder.constant(held, step.shapes[0])]
    return builder.pointwise(step.primitive, factors, np.multiply, rule="multiply")


def put(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a scatter or an update of a slice: entries replaced, or added to."""
    old, source = recorder.draft(step.inputs[0]), step.inputs[_place_of_new(step)]
    new = _moved(recorder, step, source)
    mask = _footprint(recorder, step)
    if step.primitive == "scatter-add":
        parts = [old, _where(recorder, step, new, mask)]
        number = recorder.builder.drafts[old].value
        if number is not None and not number.any():
            parts[0] = None
        return [_sum(recorder, step, [part for part in parts if part is not None])]
    return [_mixed(recorder, step, old=old, new=new, mask=mask)]


def _place_of_new(step: Step) -> int:
    return 1 if step.primitive == "dynamic_update_slice" else 2


def _moved(recorder: Recorder, step: Step, source: Source) -> int:
    """Give the new entries in the shape of the whole; many summed into one if added."""
    number = recorder.scalar(source)
    if number is not None:
        return recorder.builder.constant(number)
    draft, shape = recorder.draft(source), step.shapes[0]
    held = recorder.builder.shape(draft)
    n_in, n_out = int(np.prod(held)), int(np.prod(shape))
    if held == shape or n_in <= 1:
        return draft if held == shape else recorder.builder.reshape("put", draft, ())
    if step.primitive == "scatter-add" and n_in > n_out > 0:
        window = WindowAxis(
            n_in=n_in, n_out=n_out, kernel=-(-n_in // n_out), stride=n_in // n_out
        )
        windows = [window]
        return recorder.builder.pool("put", draft, shape, kind="sum", windows=windows)
    return recorder.builder.pick("put", draft, shape)


def _footprint(recorder: Recorder, step: Step) -> np.ndarray | None:
    """Say which entries are written, by writing ones into zeros; None if unknown."""
    if int(np.prod(step.shapes[0])) > MOST_FOLDED:
        return None
    new = _place_of_new(step)
    given: list[Any] = []
    for index, source in enumerate(step.inputs):
        if index in {0, new}:
            shape = recorder.builder.shape(recorder.draft(source))
            given.append(jnp.full(shape, float(index > 0), step.dtypes[0]))
        else:
            given.append(recorder.number(source))
    if any(array is None for array in given):
        return None
    return np.asarray(np.asarray(step.run(*given)[0]) != 0)


def largest_few(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a ``top_k``: as many windows as entries taken, and the maximum of each.

    Which entries share a window is not known; the indices are whole numbers.
    """
    source, shape = recorder.draft(step.inputs[0]), step.shapes[0]
    held = recorder.builder.shape(source)
    axis = int(step.params.get("axis", -1)) % len(held)
    n, k = held[axis], shape[axis]
    indices = recorder.builder.pick("top_k", source, step.shapes[1])
    if n == k:
        return [recorder.builder.pick("top_k", source, shape), indices]
    window = WindowAxis(
        axis=axis, n_in=n, n_out=k, kernel=-(-n // k), stride=max(1, n // k)
    )
    windows = [window]
    made = recorder.builder.pool("top_k", source, shape, kind="max", windows=windows)
    return [made, indices]


def ordered(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a sort: the same entries in another order."""
    return [
        recorder.builder.pick("sort", recorder.draft(source), shape)
        for source, shape in zip(step.inputs, step.shapes, strict=True)
    ]


def accumulated(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add sums or extremes up to each entry: windows that reach over the start."""
    source, shape = recorder.draft(step.inputs[0]), step.shapes[0]
    axis = int(step.params["axis"])
    n = shape[axis]
    low = 0 if step.params["reverse"] else n - 1
    window = WindowAxis(axis=axis, n_in=n, n_out=n, kernel=n, low=low)
    kind = {"cumsum": "sum", "cummax": "max", "cummin": "min"}[step.primitive]
    name, windows = step.primitive, [window]
    return [recorder.builder.pool(name, source, shape, kind=kind, windows=windows)]


def log_accumulated(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a ``cumlogsumexp``, taken apart."""
    builder, shape = recorder.builder, step.shapes[0]
    axis = int(step.params["axis"])
    n = shape[axis]
    low = 0 if step.params["reverse"] else n - 1
    windows = [WindowAxis(axis=axis, n_in=n, n_out=n, kernel=n, low=low)]
    name = step.primitive
    powers = builder.pointwise(name, [recorder.draft(step.inputs[0])], np.exp)
    total = builder.pool(name, powers, shape, kind="sum", windows=windows)
    return [builder.pointwise(name, [total], np.log)]


def joined(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add what one of several branches gives: opaque unless it is known which."""
    which, *cases = step.inputs
    known = recorder.scalar(which)
    drafts = [recorder.draft(case) for case in cases]
    if known is not None:
        return [drafts[int(np.clip(known, 0, len(drafts) - 1))]]
    if len(set(drafts)) == 1:
        return drafts[:1]
    if "float" not in step.dtypes[0]:
        return [recorder.builder.pick("cond", drafts[0], step.shapes[0])]
    return [recorder.builder.opaque("cond", drafts, step.shapes[0])]


TRANSLATORS: Mapping[str, Translator] = {
    "cumlogsumexp": log_accumulated,
    "cummax": accumulated,
    "cummin": accumulated,
    "cumsum": accumulated,
    "dynamic_update_slice": put,
    "join": joined,
    "scatter": put,
    "scatter-add": put,
    "select_n": selected,
    "sort": ordered,
    "top_k": largest_few,
}
"""By JAX's name of the primitive."""
