"""Which parameters fanin can draw: real numbers, each in memory of its own."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import torch

from fanin.errors import ModelError
from fanin.frameworks._aten.memory import overlaps, same_numbers, storage_of
from fanin.frameworks.torch.wrapped import HOLDERS, held_by

if TYPE_CHECKING:
    from collections.abc import Iterator


def require_plain(model: Any) -> None:
    """Refuse what no initial weight can be drawn for.

    Raises:
        ModelError: it names the parameter and what to do.

    >>> net = torch.nn.Linear(2, 2, dtype=torch.complex64)
    >>> require_plain(net)
    Traceback (most recent call last):
    ...
    fanin.errors.ModelError: Parameter 'weight' holds complex numbers (complex64). \
fanin draws real ones: keep it as a real parameter with a last axis of length 2, and \
call torch.view_as_complex on it in the forward pass.
    """
    for path, module in model.named_modules():
        if type(module).__module__.startswith("torch.ao.nn.quantized"):
            raise ModelError(_quantized(path or "the model", type(module).__name__))
        if _is_flattened(module):
            raise ModelError(_flattened(path or "the model"))
    for path, tensor in _tensors(model):
        if tensor.is_complex():
            raise ModelError(_complex(path, tensor))
        if tensor.is_quantized:
            raise ModelError(_quantized(path, str(tensor.dtype)))
    _require_apart(model)


def _tensors(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    yield from model.named_parameters(remove_duplicate=False)
    for path, buffer in model.named_buffers():
        if buffer.is_quantized:
            yield path, buffer


def _complex(path: str, tensor: torch.Tensor) -> str:
    dtype = str(tensor.dtype).removeprefix("torch.")
    return (
        f"Parameter {path!r} holds complex numbers ({dtype}). fanin draws real ones: "
        "keep it as a real parameter with a last axis of length 2, and call "
        "torch.view_as_complex on it in the forward pass."
    )


def _quantized(path: str, what: str) -> str:
    return (
        f"{path!r} is quantized ({what}). Its numbers are rounded weights of a trained "
        "model; pass the model as it was before it was quantized."
    )


def _is_flattened(module: Any) -> bool:
    """Say whether FullyShardedDataParallel made one row of a module's parameters."""
    if held_by(module) != HOLDERS["FullyShardedDataParallel"]:
        return False
    handle = module._handle  # noqa: SLF001 (it says so nowhere else)
    is_cut = handle is not None and handle.uses_sharded_strategy
    return handle is not None and (is_cut or not module._use_orig_params)  # noqa: SLF001


def _flattened(path: str) -> str:
    return (
        f"{path!r} is wrapped in FullyShardedDataParallel, which lays parameters in "
        "one row and cuts it anywhere: they have lost their shapes. Use fully_shard, "
        "or call fanin.init before the model is wrapped."
    )


def _require_apart(model: Any) -> None:
    """Refuse parameters that share memory in part: drawing one would change another."""
    by_storage: dict[int, list[tuple[str, torch.Tensor]]] = {}
    for path, tensor in model.named_parameters():
        if tensor.layout is torch.strided and not torch.nn.parameter.is_lazy(tensor):
            by_storage.setdefault(storage_of(tensor), []).append((path, tensor))
    for sharing in by_storage.values():
        for (first, one), (second, other) in combinations(sharing, 2):
            if not same_numbers(one, other) and overlaps(one, other):
                raise ModelError(_shared(first, second))


def _shared(first: str, second: str) -> str:
    return (
        f"Parameters {first!r} and {second!r} share a part of their memory, so that "
        "drawing one changes the other. Keep one parameter, and cut the other from it "
        "in the forward pass."
    )
