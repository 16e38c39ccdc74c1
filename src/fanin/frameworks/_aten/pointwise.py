"""ATen operations that work entry by entry, replayed on float64."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from fanin.frameworks._aten.call import is_random

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._aten.call import Call
    from fanin.frameworks._aten.translate import Translator, Values

UNTAGGED: Final = frozenset(
    {
        "_prelu_kernel",
        "_to_copy",
        "clamp",
        "clamp_max",
        "clamp_min",
        "hardswish",
        "log_sigmoid_forward",
        "masked_fill",
        "rsub",
        "where",
    }
)
"""Pointwise operations that have no ``torch.Tag.pointwise`` in some overload."""

OF_BITS: Final = frozenset(
    {"__lshift__", "__rshift__", "bitwise_left_shift", "bitwise_right_shift"}
)
"""Operations on the bits of whole numbers, which no array of float64 has."""

NAMESPACES: Final = frozenset({"aten", "prims"})


def is_pointwise(call: Call) -> bool:
    """Say whether a call works entry by entry on its tensors."""
    return bool(call.tensors) and _works_entry_by_entry(call.func, call.name)


@cache
def _works_entry_by_entry(func: Any, name: str) -> bool:
    if func.namespace not in NAMESPACES or is_random(func) or name in OF_BITS:
        return False
    return torch.Tag.pointwise in func.tags or name in UNTAGGED


@dataclass(frozen=True, kw_only=True)
class Slot:
    """The place of a tensor among the arguments; is_bool: of its original type."""

    index: int
    is_bool: bool


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """The operation itself, on float64 arrays in the place of its tensors."""

    func: Any
    template: Mapping[str, Any]

    def __call__(self, *arrays: np.ndarray) -> np.ndarray:
        """Evaluate; a truth value comes out as 0 or 1."""
        arguments = {
            name: self._filled(value, arrays) for name, value in self.template.items()
        }
        with torch.no_grad():
            given = self.func(**arguments)
        result = given[0] if isinstance(given, tuple | list) else given
        return np.asarray(result.to(torch.float64).numpy())

    def _filled(self, value: Any, arrays: Sequence[np.ndarray]) -> Any:
        if isinstance(value, Slot):
            array = np.array(arrays[value.index], dtype=np.float64)
            tensor = torch.from_numpy(array)
            return tensor != 0.0 if value.is_bool else tensor
        if isinstance(value, list):
            return [self._filled(item, arrays) for item in value]
        return value


def translate(values: Values, call: Call) -> Sequence[int]:
    """Add a pointwise operation, its numbers baked in.

    A choice between whole numbers wraps a negative index: the index stays what it was.
    """
    if call.name == "where" and _is_index(call):
        return [values.value_of(call["other"])]
    inputs = [values.value_of(tensor) for tensor in call.tensors]
    function = replayed(call)
    rule = _rule(call)
    if rule == "subtract" and call.name == "rsub":
        # rsub(self, other) is other − self.
        inputs.reverse()
        return [_pointwise(values, call, inputs, np.subtract, rule)]
    return [_pointwise(values, call, inputs, function, rule)]


def _is_index(call: Call) -> bool:
    other = call.get("other")
    if not isinstance(other, torch.Tensor) or tuple(other.shape) != call.shape:
        return False
    dtype = call.outputs[0].dtype
    return not (dtype.is_floating_point or dtype.is_complex or dtype == torch.bool)


def _pointwise(
    values: Values, call: Call, inputs: list[int], function: Any, rule: str
) -> int:
    builder = values.builder
    made = builder.pointwise(call.full_name, inputs, function, rule=rule)
    if builder.shape(made) != call.shape:  # in place on a larger tensor
        return builder.opaque(call.full_name, inputs, call.shape)
    return made


def replayed(call: Call) -> Replayed:
    """Give the operation as a function of its tensors, not in place."""
    template: dict[str, Any] = {}
    index = 0
    for name, value in call.arguments.items():
        if isinstance(value, torch.Tensor):
            template[name] = Slot(index=index, is_bool=value.dtype == torch.bool)
            index += 1
        else:
            template[name] = value
    if call.name == "_to_copy":
        template |= dict.fromkeys(("layout", "device", "pin_memory"))
        template["dtype"] = _wide(call["dtype"])
    return Replayed(func=functional(call), template=template)


def _wide(dtype: torch.dtype | None) -> torch.dtype | None:
    """Cast to float64 where the model casts to a narrower floating type."""
    return torch.float64 if dtype is not None and dtype.is_floating_point else dtype


def functional(call: Call) -> Any:
    """Give the overload that returns a new tensor in place of one that changes one."""
    if not call.written:
        return call.func
    packet = getattr(getattr(torch.ops, call.func.namespace), call.name)
    overload = call.func._overloadname  # noqa: SLF001 (the only place where it is)
    return getattr(packet, overload) if overload in packet.overloads() else packet


RULES: Final = {
    "add": "add",
    "sub": "subtract",
    "rsub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "maximum": "maximum",
    "minimum": "minimum",
}


def _rule(call: Call) -> str:
    """Give the rule of two tensors; with a factor or rounding it is another one."""
    rule = RULES.get(call.name, "")
    is_plain = call.get("alpha") in {None, 1} and call.get("rounding_mode") is None
    return rule if len(call.tensors) == 2 and is_plain else ""


def _scaled_sum(values: Values, call: Call) -> Sequence[int]:
    """Sum with a factor: self + alpha·other is a product, then a sum."""
    alpha = call.get("alpha")
    if len(call.tensors) < 2 or alpha in {None, 1}:
        return translate(values, call)
    builder = values.builder
    first, second = (values.value_of(tensor) for tensor in call.tensors)
    scaled, kept = (first, second) if call.name == "rsub" else (second, first)
    factor = builder.constant(float(alpha))
    product = builder.pointwise(
        "aten.mul", [scaled, factor], np.multiply, rule="multiply"
    )
    is_sum = call.name == "add"
    function = np.add if is_sum else np.subtract
    rule = "add" if is_sum else "subtract"
    return [_pointwise(values, call, [kept, product], function, rule)]


def _product_then_sum(values: Values, call: Call) -> Sequence[int]:
    """Take addcmul apart: self + value·tensor1·tensor2."""
    builder = values.builder
    held = (values.value_of(t) for t in call.tensors)
    base, first, second = held
    product = builder.pointwise(
        "aten.mul", [first, second], np.multiply, rule="multiply"
    )
    factor = builder.constant(float(call["value"]))
    product = builder.pointwise(
        "aten.mul", [product, factor], np.multiply, rule="multiply"
    )
    return [_pointwise(values, call, [base, product], np.add, "add")]


def _gated(values: Values, call: Call) -> Sequence[int]:
    """Take GLU apart: the first half times the sigmoid of the second."""
    builder = values.builder
    source = values.value_of(call["self"])
    axis = int(call["dim"]) % len(builder.shape(source))
    half = builder.shape(source)[axis] // 2
    parts = [
        builder.pick("aten.glu", source, call.shape, axis=axis, start=start)
        for start in (0, half)
    ]
    gate = builder.pointwise("aten.sigmoid", parts[1:], _sigmoid)
    product = [parts[0], gate]
    return [builder.pointwise("aten.glu", product, np.multiply, rule="multiply")]


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return torch.sigmoid(torch.from_numpy(np.array(values, np.float64))).numpy()


def _same(values: Values, call: Call) -> Sequence[int]:
    """A copy, a cast or a detached view: the very same numbers."""
    return [values.value_of(call.tensors[0])]


def _cast(values: Values, call: Call) -> Sequence[int]:
    """A cast keeps the numbers unless it rounds to whole ones."""
    wanted = call.outputs[0].dtype
    is_float = call.tensors[0].is_floating_point()
    if is_float and not wanted.is_floating_point:
        return translate(values, call)
    return _same(values, call)


def _written(values: Values, call: Call) -> Sequence[int]:
    """copy_: the source's numbers in the target's shape."""
    source = values.value_of(call.tensors[-1])
    builder = values.builder
    if builder.shape(source) != call.shape:
        source = builder.broadcast(call.full_name, source, call.shape)
    return [source]


def _filled(values: Values, call: Call) -> Sequence[int]:
    """A tensor of one number: zeros_like, full_like, fill_, zero_ and their kin."""
    builder = values.builder
    number = {"zero": 0.0, "zeros_like": 0.0, "new_zeros": 0.0}.get(call.name)
    if call.name in {"ones_like", "new_ones"}:
        number = 1.0
    if number is None:
        value = call.get("fill_value", "value")
        if isinstance(value, torch.Tensor):
            held = values.value_of(value)
            return [builder.broadcast(call.full_name, held, call.shape)]
        number = float(value)
    held = builder.constant(number)
    return [builder.broadcast(call.full_name, held, call.shape)]


def _blank(values: Values, call: Call) -> Sequence[int]:
    return [values.builder.constant(None, call.shape)]


TRANSLATORS: Mapping[str, Translator] = {
    "_to_copy": _cast,
    "add": _scaled_sum,
    "addcmul": _product_then_sum,
    "alias": _same,
    "clone": _same,
    "contiguous": _same,
    "copy": _written,
    "detach": _same,
    "empty_like": _blank,
    "fill": _filled,
    "full_like": _filled,
    "glu": _gated,
    "lift": _same,
    "lift_fresh": _same,
    "lift_fresh_copy": _same,
    "new_empty": _blank,
    "new_full": _filled,
    "new_ones": _filled,
    "new_zeros": _filled,
    "ones_like": _filled,
    "rsub": _scaled_sum,
    "sub": _scaled_sum,
    "zero": _filled,
    "zeros_like": _filled,
}
