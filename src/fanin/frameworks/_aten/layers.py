"""ATen operations that are a layer by themselves: normalization, softmax, dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._aten.call import Call
    from fanin.frameworks._aten.translate import Translator, Values


def _normalized(
    values: Values, call: Call, details: dict[str, object]
) -> Sequence[int]:
    held = {
        name: None if call.get(key) is None else values.value_of(call.get(key))
        for name, key in (("scale", "weight"), ("bias", "bias"))
    }
    source = values.value_of(call["input"])
    made = values.builder.normalize(
        call.full_name,
        source,
        details={"is_identity": False, "eps": float(call.get("eps") or 0.0), **details},
        **held,
    )
    return [made]


def _batch_norm(values: Values, call: Call) -> Sequence[int]:
    axes = tuple(i for i in range(len(call.shape)) if i != 1)
    mean, variance = call.get("running_mean"), call.get("running_var")
    is_training = bool(call.arguments.get("training", True))
    if call.name.endswith("no_training"):
        is_training = False
    is_fresh = _is_all(values, mean, 0.0) and _is_all(values, variance, 1.0)
    details: dict[str, object] = {"kind": "batch", "axes": axes}
    details["is_identity"] = not is_training and is_fresh
    return _normalized(values, call, details)


def _is_all(values: Values, tensor: Any, number: float) -> bool:
    """Say whether a buffer holds this one number throughout."""
    if not isinstance(tensor, torch.Tensor):
        return False
    held = values.builder.drafts[values.value_of(tensor)].value
    return held is not None and bool((held == number).all())


def _layer_norm(values: Values, call: Call) -> Sequence[int]:
    rank, n_last = len(call.shape), len(call["normalized_shape"])
    axes = tuple(range(rank - n_last, rank))
    return _normalized(values, call, {"kind": "layer", "axes": axes})


def _rms_norm(values: Values, call: Call) -> Sequence[int]:
    rank, n_last = len(call.shape), len(call["normalized_shape"])
    axes = tuple(range(rank - n_last, rank))
    eps = call.get("eps")
    if eps is None:
        eps = torch.finfo(call.outputs[0].dtype).eps
    details = {"kind": "rms", "axes": axes, "eps": float(eps)}
    return _normalized(values, call, details)


def _group_norm(values: Values, call: Call) -> Sequence[int]:
    groups = int(call["group"])
    rank = len(call.shape)
    if groups == call.shape[1]:  # a group for each channel
        over = tuple(range(2, rank))
        return _normalized(values, call, {"kind": "instance", "axes": over})
    details = {"kind": "group", "axes": tuple(range(1, rank)), "groups": groups}
    return _normalized(values, call, details)


def _softmax(values: Values, call: Call) -> Sequence[int]:
    source = values.value_of(call["self"])
    return [values.builder.softmax(call.full_name, source, int(call["dim"]))]


def _dropout(values: Values, call: Call) -> Sequence[int]:
    source = values.value_of(call.tensors[0])
    p = float(call["p"]) if call.get("train") in {None, True} else 0.0
    return [values.builder.noise(call.full_name, source, p=p)]


def _attention(values: Values, call: Call) -> Sequence[int]:
    """Fused attention, taken apart: scores, softmax, mixture of the values."""
    builder = values.builder
    query, key, value = (values.value_of(tensor) for tensor in call.tensors[:3])
    if len(builder.shape(query)) != 4 or len(call.shape) != 4:
        return []
    name = call.full_name
    scores = builder.contract(name, query, key, "bhqd,bhkd->bhqk")
    shares = builder.softmax(name, scores, -1)
    return [builder.contract(name, shares, value, "bhqk,bhkd->bhqd")]


def _weight_norm(values: Values, call: Call) -> Sequence[int]:
    """g·v/‖v‖ with a norm for each entry of one axis, taken apart."""
    builder, name = values.builder, call.full_name
    vector, size = values.value_of(call["v"]), values.value_of(call["g"])
    rank = len(builder.shape(vector))
    kept = int(call["dim"]) % rank
    axes = [axis for axis in range(rank) if axis != kept]
    squares = [vector, vector]
    square = builder.pointwise(name, squares, np.multiply, rule="multiply")
    total = builder.reduce(name, square, axes, kind="sum", is_kept=True)
    length = builder.pointwise(name, [total], np.sqrt)
    unit = builder.pointwise(name, [vector, length], np.divide, rule="divide")
    made = builder.pointwise(name, [unit, size], np.multiply, rule="multiply")
    return [made, length]


_ATTENTION = (
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
)

TRANSLATORS: Mapping[str, Translator] = {
    **dict.fromkeys(_ATTENTION, _attention),
    "_fused_rms_norm": _rms_norm,
    "_log_softmax": _softmax,
    "_native_batch_norm_legit": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "_safe_softmax": _softmax,
    "_softmax": _softmax,
    "_weight_norm_interface": _weight_norm,
    "cudnn_batch_norm": _batch_norm,
    "miopen_batch_norm": _batch_norm,
    "native_batch_norm": _batch_norm,
    "native_dropout": _dropout,
    "native_group_norm": _group_norm,
    "native_layer_norm": _layer_norm,
}
