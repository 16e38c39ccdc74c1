"""Read the parameters of a torch module; ``writing`` writes them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fanin.errors import (
    ModelError,
    NoStorageError,
)
from fanin.frameworks._aten.arrays import as_view
from fanin.frameworks.torch.agreeing import agreed
from fanin.frameworks.torch.plain import require_plain
from fanin.frameworks.torch.sharded import is_sharded, local_of, whole_of
from fanin.frameworks.torch.wrapped import class_name, without_wrappers
from fanin.graph import Parameter
from fanin.graph.rounding import rounded_to_odd

if TYPE_CHECKING:
    from collections.abc import Iterator


Identity = tuple[object, ...]

LAZY = (torch.nn.UninitializedParameter, torch.nn.UninitializedBuffer)


def owns(model: Any) -> bool:
    """Say whether the model is a ``torch.nn.Module``."""
    loaded = sys.modules.get("torch")
    return loaded is not None and isinstance(model, loaded.nn.Module)


def parameters(model: Any) -> tuple[Parameter, ...]:
    """List the parameters, each once: the further names of a tied one are aliases.

    What wraps the model or a part of it (compiled, data parallel) is no part of a name.

    Raises:
        ModelError: if the model is compiled to TorchScript, or holds complex or
            quantized numbers, or two parameters that share a part of their memory.

    >>> net = torch.nn.Linear(3, 2)
    >>> [(p.path, p.shape, p.dtype, p.owner) for p in parameters(net)]
    [('weight', (2, 3), 'float32', 'Linear'), ('bias', (2,), 'float32', 'Linear')]
    """
    _require_python(model)
    require_plain(model)
    found: dict[Identity, list[str]] = {}
    tensors: dict[Identity, torch.nn.Parameter] = {}
    owners: dict[Identity, str] = {}
    held = dict(model.named_parameters(remove_duplicate=False))
    for raw, path in without_wrappers(model, held):
        key = identity(held[raw])
        found.setdefault(key, []).append(path)
        tensors.setdefault(key, held[raw])
        owners.setdefault(key, raw)
    return tuple(
        Parameter(
            path=names[0],
            shape=() if is_lazy(tensors[key]) else tuple(tensors[key].shape),
            dtype=str(tensors[key].dtype).removeprefix("torch."),
            is_trainable=tensors[key].requires_grad,
            aliases=tuple(names[1:]),
            storage=_storage(tensors[key]),
            owner=_owner(model, owners[key]),
        )
        for key, names in found.items()
    )


def _require_python(model: torch.nn.Module) -> None:
    for path, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            where = f"its module {path!r}" if path else "it"
            what = (
                f"The model {type(model).__name__} cannot be taken apart: {where} is "
                "TorchScript. Pass the module that it was scripted or traced from."
            )
            raise ModelError(what)


def identity(tensor: torch.Tensor) -> Identity:
    """Give a key that two tensors share when they are the same numbers in memory.

    Two parameters may be two objects over one storage, which is a tie as well.
    """
    if is_lazy(tensor) or tensor.layout is not torch.strided or tensor.numel() == 0:
        return (id(tensor),)
    if is_sharded(tensor):
        local = local_of(tensor)
        return (id(tensor),) if local.numel() == 0 else identity(local)
    try:
        storage = tensor.untyped_storage()._cdata  # noqa: SLF001 (the only handle that meta tensors have)
    except (NotImplementedError, RuntimeError):
        return (id(tensor),)
    place = (tensor.storage_offset(), tuple(tensor.shape), tensor.stride())
    return (storage, *place)


def is_lazy(tensor: torch.Tensor) -> bool:
    """Say whether a parameter waits for the first batch to get its shape."""
    return isinstance(tensor, LAZY)


def named_parameters(model: Any) -> dict[str, torch.nn.Parameter]:
    """Give every parameter under every one of its names."""
    held = dict(model.named_parameters(remove_duplicate=False))
    return {path: held[raw] for raw, path in without_wrappers(model, held)}


def read(model: Any) -> dict[str, np.ndarray]:
    """Copy out the parameters' values, by path, each tied one once.

    Raises:
        NoStorageError: if one has no memory.

    >>> read(torch.nn.Linear(3, 2))["weight"].shape
    (2, 3)
    """
    tensors = named_parameters(model)
    return {p.path: as_array(p.path, tensors[p.path]) for p in parameters(model)}


def buffers(model: Any) -> dict[str, np.ndarray]:
    """Copy out what is stored and not trained (running means), by path.

    Raises:
        NoStorageError: if one has no memory.
    """
    held = dict(model.named_buffers())
    return {
        path: as_array(path, held[raw]) for raw, path in without_wrappers(model, held)
    }


def as_array(path: str, tensor: torch.Tensor) -> np.ndarray:
    """Copy a tensor out; what NumPy has no type for (bfloat16) comes as float32.

    One that is spread over processes is put together: each must take part.
    """
    require_storage(path, tensor)
    return as_view(whole_of(tensor).detach().to("cpu", copy=True))


def require_storage(path: str, tensor: torch.Tensor) -> None:
    """Refuse a tensor without memory.

    Raises:
        NoStorageError: if it is lazy or on the meta device.
    """
    if is_lazy(tensor):
        raise NoStorageError.of(path, "lazy")
    if tensor.is_meta:
        raise NoStorageError.of(path)


def seed(model: Any) -> int:
    """Take 63 bits from torch's global generator, which moves on as by any draw.

    Of a model that several processes share, the first one's seed is taken by all.

    >>> net = torch.nn.Linear(1, 1)
    >>> _ = torch.manual_seed(0)
    >>> first = seed(net)
    >>> first == seed(net)
    False
    """
    own = int(torch.empty((), dtype=torch.int64, device="cpu").random_())
    return int(agreed(model, own))


def as_tensor(
    array: np.ndarray, dtype: torch.dtype, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Copy an array into a tensor of that type, rounding once.

    torch goes from float64 to a half type by way of float32, and so rounds twice;
    rounding to odd in between keeps the second rounding right.
    """
    if array.dtype.kind not in "fiubc":  # ml_dtypes' bfloat16 and its kin
        array = array.astype(np.float32)
    if array.dtype == np.float64 and dtype in {torch.float16, torch.bfloat16}:
        array = rounded_to_odd(array)
    return torch.from_numpy(np.array(array, copy=True)).to(device, dtype)


def _storage(tensor: torch.Tensor) -> str:
    if is_lazy(tensor):
        return "lazy"
    return "meta" if tensor.is_meta else "ready"


def _owner(model: torch.nn.Module, path: str) -> str:
    """Give the class of the module that holds it; of the layer, if parametrized."""
    parent = path.rpartition(".")[0]
    layer = parent.partition("parametrizations.")[0].rstrip(".")
    module = model.get_submodule(layer if "parametrizations." in parent else parent)
    return class_name(module).removeprefix("Parametrized")


def trainable(model: Any) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """Yield each trainable parameter once, under its first name."""
    tensors = named_parameters(model)
    for parameter in parameters(model):
        if parameter.is_trainable:
            yield parameter.path, tensors[parameter.path]
