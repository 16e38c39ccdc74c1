"""A model on loan: run it at other parameter values, give it back as it was."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from fanin.errors import ShapeError, UnknownParameterError
from fanin.frameworks._aten.guard import Guard, Guarded, WritesToParameterError
from fanin.frameworks._aten.random_state import seeded
from fanin.frameworks.torch.module_state import restore, state_of
from fanin.frameworks.torch.parameters import (
    Identity,
    as_tensor,
    identity,
    is_lazy,
    named_parameters,
    parameters,
    require_storage,
)
from fanin.frameworks.torch.sharded import is_sharded, shape_alone, whole_of
from fanin.frameworks.torch.wrapped import uncompiled, without_communication

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np

    Substitutes = dict[str, torch.nn.Parameter]

Found = TypeVar("Found")


@contextmanager
def borrowed(
    model: Any, substitutes: Substitutes, seed: int, guard: Guard | None = None
) -> Iterator[None]:
    """Put other tensors in the place of parameters and buffers, for a while.

    Buffers get copies on the substitutes' device, so that running means may move.
    Whatever a run leaves on a module (a cache, a mode, a hook, an item in a list) is
    taken off again, and random state is put back: afterwards the model is what it was,
    after an error too. Each process runs the whole model by itself.

    Args:
        model: a module.
        substitutes: by path, the tensors to run with, one for each parameter.
        seed: of the noise in the run.
        guard: whom the caller tells of every operation; None to have that done here.
    """
    modules = list(model.modules())
    kept = [state_of(module) for module in modules]
    device = next((t.device for t in substitutes.values()), None)
    was_flag = torch.backends.mha.get_fastpath_enabled()
    with (
        seeded(seed),
        torch.inference_mode(mode=False),
        torch.enable_grad(),
        uncompiled(model),
    ):
        try:
            torch.backends.mha.set_fastpath_enabled(False)
            without_communication(modules)
            _substitute(model, substitutes, device)
            with _watched(guard, (*substitutes.values(), *model.buffers())):
                yield
        finally:
            torch.backends.mha.set_fastpath_enabled(was_flag)
            for module, state in zip(modules, kept, strict=True):
                restore(module, state)


@contextmanager
def _watched(guard: Guard | None, own: Sequence[torch.Tensor]) -> Iterator[None]:
    """Let a run write into its own tensors; what else it writes to is put back."""
    if guard is not None:
        guard.own(own)
        yield
        return
    guard = Guard(owned=own)
    with guard.restoring(), Guarded(guard):
        yield


def copies(model: Any, values: Mapping[str, np.ndarray] | None = None) -> Substitutes:
    """Give a copy of each parameter, at other values where given.

    Raises:
        NoStorageError: if a parameter has no memory.
        UnknownParameterError, ShapeError: if ``values`` do not fit the model.
    """
    return _made(model, values, is_lent=False)


def lending(
    model: Any,
    values: Mapping[str, np.ndarray] | None,
    work: Callable[[Substitutes, Guard], Found],
) -> Found:
    """Do a piece of work with the model's own parameters, at other values where given.

    A parameter whose value is not given is lent with its memory, which costs none. If
    the model is about to write into one, the work begins again with copies.

    Args:
        model: a module.
        values: by path; those not named are the model's own.
        work: runs the model with these substitutes, telling the guard of every
            operation; what it does must be gone when it is left by an exception.

    Raises:
        NoStorageError: if a parameter has no memory.
        UnknownParameterError, ShapeError: if ``values`` do not fit the model.
    """
    lent = _made(model, values, is_lent=True)
    guard = Guard(protected=named_parameters(model).values())
    try:
        with guard.restoring():
            return work(lent, guard)
    except WritesToParameterError:
        pass  # nothing was written: the operation was stopped before it ran
    own = _made(model, values, is_lent=False)
    with Guard().restoring() as guard:
        return work(own, guard)


def _made(
    model: Any, values: Mapping[str, np.ndarray] | None, *, is_lent: bool
) -> Substitutes:
    with torch.inference_mode(mode=False), torch.no_grad():
        return _substitutes(model, values or {}, is_lent=is_lent)


def _substitutes(
    model: Any, values: Mapping[str, np.ndarray], *, is_lent: bool
) -> Substitutes:
    given = _by_first_name(model, values)
    tensors = named_parameters(model)
    found: Substitutes = {}
    for parameter in parameters(model):
        path, tensor = parameter.path, tensors[parameter.path]
        require_storage(path, tensor)
        if path in given:
            if given[path].shape != parameter.shape:
                raise ShapeError.of(path, parameter.shape, given[path].shape)
            copy = as_tensor(given[path], tensor.dtype, tensor.device)
        elif is_sharded(tensor):
            copy = whole_of(tensor).detach().clone()
        elif is_lent and not tensor.is_inference():
            copy = tensor.detach()
        else:
            copy = tensor.detach().clone()
        found[path] = torch.nn.Parameter(copy, requires_grad=tensor.requires_grad)
    return found


def shapes_alone(model: Any) -> Substitutes:
    """Give a meta tensor, which has a shape and no numbers, for each parameter.

    Raises:
        NoStorageError: if a parameter is lazy, since then it has no shape either.
    """
    tensors = named_parameters(model)
    found: Substitutes = {}
    for parameter in parameters(model):
        tensor = tensors[parameter.path]
        if is_lazy(tensor):
            require_storage(parameter.path, tensor)
        with torch.inference_mode(mode=False):
            copy = shape_alone(tensor)
            held = torch.nn.Parameter(copy, tensor.requires_grad)
        found[parameter.path] = held
    return found


def _by_first_name(
    model: Any, values: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    if not values:
        return {}
    first = {n: p.path for p in parameters(model) for n in (p.path, *p.aliases)}
    for path in values:
        if path not in first:
            raise UnknownParameterError.of(path, first)
    return {first[path]: array for path, array in values.items()}


def _substitute(
    model: torch.nn.Module, substitutes: Substitutes, device: torch.device | None
) -> None:
    tensors = named_parameters(model)
    by_identity = {identity(tensors[path]): s for path, s in substitutes.items()}
    copied: dict[Identity, torch.Tensor] = {}
    for module in model.modules():
        own: dict[str, Any] = module._parameters  # noqa: SLF001 (as functional_call does)
        held: dict[str, Any] = module._buffers  # noqa: SLF001
        for name in [name for name, tensor in own.items() if tensor is not None]:
            own[name] = by_identity[identity(own[name])]
        for name in [name for name, tensor in held.items() if tensor is not None]:
            key = identity(held[name])
            copied.setdefault(key, _copy_of_buffer(held[name], device))
            held[name] = copied[key]


def _copy_of_buffer(held: torch.Tensor, device: torch.device | None) -> torch.Tensor:
    if device is not None and device.type == "meta":
        return shape_alone(held)
    return whole_of(held).detach().clone()
