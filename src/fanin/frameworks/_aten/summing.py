"""ATen operations that sum products: matrix products, convolutions, lookups."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.draft import Kind
from fanin.graph.layouts import torch_conv, torch_conv_transpose
from fanin.graph.windows import WindowAxis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

    from fanin.frameworks._aten.call import Call
    from fanin.frameworks._aten.translate import Translator, Values

LETTERS = {
    "mm": "ab,bc->ac",
    "addmm": "ab,bc->ac",
    "bmm": "abc,acd->abd",
    "baddbmm": "abc,acd->abd",
    "mv": "ab,b->a",
    "addmv": "ab,b->a",
    "dot": "a,a->",
    "vdot": "a,a->",
}


def bias_of(call: Call) -> torch.Tensor | None:
    """Give what a call adds to its sums, as it is added; None if nothing."""
    if call.name in {"addmm", "baddbmm", "addmv"}:
        beta = call.get("beta")
        bias: torch.Tensor = call["self"]
        return bias if beta in {None, 1} else bias * beta
    if call.name == "convolution" and call["bias"] is not None:
        shape = (1, -1, *(1 for _ in call.shape[2:]))
        of_conv: torch.Tensor = call["bias"].reshape(shape)
        return of_conv
    return None


def _product(values: Values, call: Call) -> Sequence[int]:
    operands = [values.value_of(tensor) for tensor in call.tensors[-2:]]
    made = values.builder.contract(
        call.full_name, operands[0], operands[1], LETTERS[call.name]
    )
    return [made]


def _product_and_sum(values: Values, call: Call) -> Sequence[int]:
    """beta·self + alpha·(a @ b)."""
    (made,) = _product(values, call)
    scaled = _times(values, made, call.get("alpha"))
    added = values.value_of(call["self"])
    if call.get("beta") == 0:
        return [scaled]
    added = _times(values, added, call.get("beta"))
    name = call.full_name
    return [values.builder.pointwise(name, [scaled, added], np.add, rule="add")]


def _times(values: Values, value: int, factor: float | None) -> int:
    if factor in {None, 1}:
        return value
    builder = values.builder
    operands = [value, builder.constant(float(factor or 0.0))]
    return builder.pointwise("aten.mul", operands, np.multiply, rule="multiply")


def _bilinear(values: Values, call: Call) -> Sequence[int]:
    """x₁ᵀ W x₂, as nn.Bilinear asks for it: a product with W, then one with x₂."""
    expected = ([1, 3], [0], [1, 2], [2, 3])
    names = ("expand1", "expand2", "expand3", "sumdim")
    if tuple(list(call[name]) for name in names) != expected:
        return []
    builder = values.builder
    first, weight, second = (values.value_of(tensor) for tensor in call.tensors)
    half = builder.contract(call.full_name, first, weight, "bi,oij->boj")
    return [builder.contract(call.full_name, half, second, "boj,bj->bo")]


def _convolved(values: Values, call: Call) -> Sequence[int]:
    builder = values.builder
    source, weight = values.value_of(call["input"]), values.value_of(call["weight"])
    rank = len(call.shape) - 2
    strides = _each(call["stride"], rank)
    make = torch_conv_transpose if call["transposed"] else torch_conv
    roles = make(rank, groups=int(call["groups"]), strides=strides)
    made = builder.convolve(
        call.full_name,
        source,
        weight,
        call.shape,
        roles=roles,
        channel_axis=1,
        windows=_axes(call, rank),
    )
    if call["bias"] is None:
        return [made]
    bias = values.value_of(call["bias"])
    column = (builder.shape(bias)[0], *(1 for _ in range(rank)))
    operands = [made, builder.reshape(call.full_name, bias, column)]
    return [builder.pointwise(call.full_name, operands, np.add, rule="add")]


def _each(setting: Sequence[int], rank: int) -> tuple[int, ...]:
    """One setting an axis, where torch allows one for all."""
    given = tuple(int(n) for n in setting)
    return given * rank if len(given) == 1 else given


def _axes(call: Call, rank: int) -> list[WindowAxis]:
    stride, padding = _each(call["stride"], rank), _each(call["padding"], rank)
    dilation = _each(call["dilation"], rank)
    kernel, source = call["weight"].shape[2:], call["input"].shape[2:]
    is_transposed = bool(call["transposed"])
    return [
        WindowAxis(
            axis=2 + i,
            n_in=int(source[i]),
            n_out=int(call.shape[2 + i]),
            kernel=int(kernel[i]),
            stride=1 if is_transposed else stride[i],
            low=dilation[i] * (int(kernel[i]) - 1) - padding[i]
            if is_transposed
            else padding[i],
            dilation=dilation[i],
            spread=stride[i] if is_transposed else 1,
        )
        for i in range(rank)
    ]


def _grouped_product(values: Values, call: Call) -> Sequence[int]:
    """Rows times their own matrix of a stack, as in a mixture of experts.

    Each row meets one matrix, so it is a product with one entry of the stack.
    """
    left, right = call.tensors[:2]
    if left.dim() != 2 or right.dim() != 3:
        return []
    builder = values.builder
    rows, stack = values.value_of(left), values.value_of(right)
    shape = builder.shape(stack)[1:]
    name = call.full_name
    one = builder.pick(name, stack, shape, axis=0, is_dropped=True)
    made = builder.contract(name, rows, one, "ab,bc->ac")
    bias = call.get("bias")
    if bias is None:
        return [made]
    column = values.value_of(bias)
    left_over = builder.shape(column)[1:]
    shift = builder.pick(name, column, left_over, axis=0, is_dropped=True)
    return [builder.pointwise(name, [made, shift], np.add, rule="add")]


def _embedded(values: Values, call: Call) -> Sequence[int]:
    table, indices = values.value_of(call["weight"]), values.value_of(call["indices"])
    padding = int(call["padding_idx"])
    return [values.builder.lookup(call.full_name, table, indices, padding=padding)]


def _indexed(values: Values, call: Call) -> Sequence[int]:
    """table[indices]: rows by index, where only the first axis is indexed."""
    indices = [index for index in call["indices"] if index is not None]
    is_rows = len(indices) == 1 and call["indices"][0] is not None
    if (
        not is_rows
        or indices[0].dtype.is_floating_point
        or "bool" in str(indices[0].dtype)
    ):
        source = values.value_of(call["self"])
        return [values.builder.pick(call.full_name, source, call.shape)]
    table, index = values.value_of(call["self"]), values.value_of(indices[0])
    if _is_stack(values, table):
        return [_matrix_for_each(values, call, table)]
    return [values.builder.lookup(call.full_name, table, index)]


def _is_stack(values: Values, table: int) -> bool:
    """Say whether a value is a stack of weight matrices, and not a table of rows."""
    draft = values.builder.drafts[table]
    return draft.kind is Kind.PARAMETER and len(draft.shape) > 2


def _matrix_for_each(values: Values, call: Call, stack: int) -> int:
    """One matrix of a stack for each index: each product is with one of them."""
    builder = values.builder
    shape = builder.shape(stack)[1:]
    one = builder.pick(call.full_name, stack, shape, axis=0, is_dropped=True)
    return builder.broadcast(call.full_name, one, call.shape)


def _rows(values: Values, call: Call) -> Sequence[int]:
    if int(call["dim"]) != 0:
        source = values.value_of(call["self"])
        return [values.builder.pick(call.full_name, source, call.shape)]
    table, index = values.value_of(call["self"]), values.value_of(call["index"])
    return [values.builder.lookup(call.full_name, table, index)]


def _bag(values: Values, call: Call) -> Sequence[int]:
    """An embedding bag: rows looked up, then summed or averaged."""
    builder = values.builder
    table, indices = values.value_of(call["weight"]), values.value_of(call["indices"])
    rows = builder.lookup(call.full_name, table, indices)
    n_rows = max(1, prod(builder.shape(rows)) // max(1, prod(call.shape)))
    n_bags = call.shape[0]
    bag = WindowAxis(n_in=n_rows * n_bags, n_out=n_bags, kernel=n_rows, stride=n_rows)
    kind = {0: "sum", 1: "mean", 2: "max"}[int(call["mode"])]
    name = call.full_name
    return [builder.pool(name, rows, call.shape, kind=kind, windows=[bag])]


TRANSLATORS: Mapping[str, Translator] = {
    "_grouped_mm": _grouped_product,
    "grouped_mm_fallback": _grouped_product,
    "_embedding_bag": _bag,
    "_embedding_bag_forward_only": _bag,
    "_trilinear": _bilinear,
    "addmm": _product_and_sum,
    "addmv": _product_and_sum,
    "baddbmm": _product_and_sum,
    "bmm": _product,
    "convolution": _convolved,
    "dot": _product,
    "embedding": _embedded,
    "index": _indexed,
    "index_select": _rows,
    "mm": _product,
    "mv": _product,
    "vdot": _product,
}
