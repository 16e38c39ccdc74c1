"""ATen operations that put entries of one tensor in the place of another's.

With a mask of ones where the new entries go, ``new·mask + old·(1 − mask)`` is what they
do; where the mask is a constant, that is a product and a sum that need no rule of
their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from fanin.frameworks._aten import pointwise
from fanin.frameworks._aten.known import MOST_KNOWN
from fanin.graph.draft import Kind
from fanin.graph.windows import WindowAxis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._aten.call import Call
    from fanin.frameworks._aten.translate import Translator, Values

LARGE: Final = 1e3
"""A number past which filling it in shuts an entry out of a softmax or a maximum."""


def _chosen(values: Values, call: Call) -> Sequence[int]:
    """where(mask, first, second)."""
    first, second = call["self"], call["other"]
    return _selected(values, call, call["condition"], first, second)


def _filled(values: Values, call: Call) -> Sequence[int]:
    """masked_fill(old, mask, number)."""
    return _selected(values, call, call["mask"], call["value"], call["self"])


def _selected(
    values: Values, call: Call, condition: torch.Tensor, first: Any, second: Any
) -> Sequence[int]:
    builder = values.builder
    mask = values.value_of(condition)
    if not values.is_still(mask) or _shuts_out(values, first, second):
        return pointwise.translate(values, call)
    if not call.outputs[0].is_floating_point():
        return pointwise.translate(values, call)
    numbers = builder.drafts[mask].value
    parts = [
        _times_mask(
            values, call, _operand(values, operand), kept, tuple(condition.shape)
        )
        for operand, kept in (
            (first, numbers),
            (second, None if numbers is None else ~numbers.astype(bool)),
        )
    ]
    return [_sum(values, call, [part for part in parts if part is not None])]


def _shuts_out(values: Values, first: Any, second: Any) -> bool:
    """Say whether one of the two is a number that only means "not this entry"."""
    return any(_is_large(values, operand) for operand in (first, second))


def _is_large(values: Values, operand: Any) -> bool:
    if not isinstance(operand, torch.Tensor):
        return not abs(float(operand)) < LARGE
    held = _constant(values, values.value_of(operand))
    if held is None or held.size == 0 or held.dtype.kind not in "fiu":
        return False
    return not float(np.abs(held).max()) < LARGE


def _constant(values: Values, value: int) -> np.ndarray | None:
    """Give a constant's numbers where known; a parameter's are free to change."""
    draft = values.builder.drafts[value]
    return draft.value if draft.kind is Kind.CONSTANT else None


def _operand(values: Values, operand: Any) -> int:
    if isinstance(operand, torch.Tensor):
        return values.value_of(operand)
    return values.builder.constant(float(operand))


def _times_mask(
    values: Values,
    call: Call,
    operand: int,
    kept: np.ndarray | None,
    shape: tuple[int, ...],
) -> int | None:
    """Multiply by a mask of 0 and 1; None if nothing is left of it."""
    builder = values.builder
    number = _constant(values, operand)
    if number is not None and number.size and not number.any():
        return None
    if kept is not None and not kept.any():
        return None
    if kept is not None and kept.all():
        return operand
    held = None if kept is None else kept.astype(np.float64)
    mask = builder.constant(held, shape)
    operands = [operand, mask]
    return builder.pointwise(call.full_name, operands, np.multiply, rule="multiply")


def _sum(values: Values, call: Call, parts: Sequence[int]) -> int:
    builder = values.builder
    if not parts:
        return builder.broadcast(call.full_name, builder.constant(0.0), call.shape)
    made = parts[0]
    if len(parts) == 2:
        made = builder.pointwise(call.full_name, parts, np.add, rule="add")
    if builder.shape(made) != call.shape:
        made = builder.broadcast(call.full_name, made, call.shape)
    return made


def _put(values: Values, call: Call) -> Sequence[int]:
    """Entries at an index replaced, or added to, by those of another tensor."""
    source = call.get("values", "src", "source", "value")
    reduction = call.get("accumulate", "reduce")
    is_added = call.name in ADDING or reduction in {True, "sum", "add"}
    if call.name == "scatter_reduce" and not is_added:
        return []
    if _is_own_function(values, call, source):
        return [_replaced_by_number(values, call, source)]
    base = values.value_of(call["self"])
    new = _moved(values, call, source, is_added=is_added)
    placed = _footprint(values, call)
    kept = None if placed is None else ~placed
    shape = call.shape
    parts = [
        _times_mask(values, call, new, placed, shape),
        base if is_added else _times_mask(values, call, base, kept, shape),
    ]
    held = _constant(values, base)
    if is_added and held is not None and not held.any():
        parts[1] = None
    return [_sum(values, call, [part for part in parts if part is not None])]


def _is_own_function(values: Values, call: Call, source: Any) -> bool:
    """Say whether the entries replaced are those where a function of them is true."""
    if call.name != "index_put" or len(call["indices"]) != 1:
        return False
    (mask,) = call["indices"]
    is_mask = mask.dtype == torch.bool and tuple(mask.shape) == call.shape
    return (
        is_mask and source.numel() == 1 and not values.is_still(values.value_of(mask))
    )


def _replaced_by_number(values: Values, call: Call, source: torch.Tensor) -> int:
    inputs = [values.value_of(t) for t in (call["self"], call["indices"][0], source)]
    return values.builder.pointwise(call.full_name, inputs, _replaced)


def _replaced(old: np.ndarray, mask: np.ndarray, new: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(mask != 0.0, new, old))


def _moved(values: Values, call: Call, source: Any, *, is_added: bool) -> int:
    """Give the new entries in the shape of the whole."""
    builder = values.builder
    if not isinstance(source, torch.Tensor):
        return builder.constant(float(source))
    held = values.value_of(source)
    shape = builder.shape(held)
    is_broadcast = shape == call.shape[len(call.shape) - len(shape) :]
    if is_broadcast or source.numel() == 1:
        return held
    longer = [i for i in range(len(shape)) if shape[i : i + 1] > call.shape[i : i + 1]]
    if is_added and len(shape) == len(call.shape) and len(longer) == 1:
        axis = longer[0]
        n_in, n_out = shape[axis], call.shape[axis]
        window = WindowAxis(
            axis=axis,
            n_in=n_in,
            n_out=n_out,
            kernel=-(-n_in // n_out),
            stride=n_in // n_out,
        )
        name, windows = call.full_name, [window]
        return builder.pool(name, held, call.shape, kind="sum", windows=windows)
    return builder.pick(call.full_name, held, call.shape)


def _footprint(values: Values, call: Call) -> np.ndarray | None:
    """Say which entries are written, by writing ones into zeros; None if unknown."""
    if int(np.prod(call.shape)) > MOST_KNOWN:
        return None
    template = {
        name: _marked(values, name, held) for name, held in call.arguments.items()
    }
    if any(held is _UNKNOWN for held in template.values()):
        return None
    template |= {name: 1.0 for name in ("value",) if name in template}
    if isinstance(call.get("value"), torch.Tensor):
        template["value"] = torch.ones(())
    with torch.no_grad():
        written = pointwise.functional(call)(**template)
    return np.asarray(written.numpy() != 0.0)


_UNKNOWN: Final = object()


def _marked(values: Values, name: str, held: Any) -> Any:
    """Give ones for the new entries, zeros for the old, and an index as it is."""
    if name == "self":
        return torch.zeros(held.shape)
    if name in {"src", "source", "values"}:
        return torch.ones(held.shape)
    if isinstance(held, list | tuple):
        marked = [_marked(values, "", item) for item in held]
        return _UNKNOWN if any(item is _UNKNOWN for item in marked) else marked
    if isinstance(held, torch.Tensor):
        numbers = values.numbers(held)
        is_known = numbers is not None and values.is_still(values.value_of(held))
        return numbers if is_known else _UNKNOWN
    return held


ADDING: Final = frozenset({"index_add", "scatter_add"})

TRANSLATORS: Mapping[str, Translator] = {
    "index_add": _put,
    "index_copy": _put,
    "index_fill": _put,
    "index_put": _put,
    "_index_put_impl": _put,
    "_unsafe_index_put": _put,
    "masked_fill": _filled,
    "masked_scatter": _put,
    "scatter": _put,
    "scatter_add": _put,
    "scatter_reduce": _put,
    "where": _chosen,
}
