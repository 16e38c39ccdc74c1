"""Memory for parameters that have none (the meta device), given wholly or not at all.

A parameter stays the object that it was: its ties, its place in the model's order, what
an optimizer holds of it. One that is spread over processes gets the memory of this
process's part and no more. Buffers get memory before, and their numbers from the
modules that know them (``materialize_buffers``).
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from fanin.errors import ArgumentError, ModelError, NoStorageError
from fanin.frameworks.torch.materialize_buffers import given_buffers
from fanin.frameworks.torch.parameters import named_parameters
from fanin.frameworks.torch.sharded import is_sharded, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    Device = torch.device | str


@contextmanager
def given_memory(
    model: Any,
    drawn: Mapping[str, torch.nn.Parameter],
    device: Device | None = None,
    kept: Collection[str] = (),
) -> Iterator[None]:
    """Give memory to all of a model's tensors that have none; take it back on an error.

    Args:
        model: a module; without parameters on the meta device nothing is done.
        drawn: by path, the parameters that the caller will write to.
        device: where to; None for that of the parameters' mesh of processes, of those
            that have memory, or PyTorch's default.
        kept: paths of parameters that keep what their author wrote: their modules are
            asked for it.

    Raises:
        NoStorageError: if another parameter without memory is not drawn, or no module
            knows what its author wrote into it.
        ArgumentError: if the device has no memory either.
        ModelError: if no module knows the numbers of a buffer, or a parameter cannot
            be given memory. The model is as it was in each case.

    >>> net = torch.nn.Linear(2, 1, device="meta")
    >>> with given_memory(net, dict(net.named_parameters())):
    ...     net.weight.device.type
    'cpu'
    """
    homeless = {p: t for p, t in model.named_parameters() if t.is_meta}
    if not homeless:
        yield
        return
    will_be = {id(parameter) for parameter in drawn.values()}
    alone = {p: t for p, t in homeless.items() if id(t) not in will_be}
    _require_known(model, alone, kept)
    home = _home(model, device)
    given: list[tuple[torch.nn.Parameter, torch.nn.Parameter]] = []
    with given_buffers(model, home(None), alone) as wholes:
        try:
            for path, parameter in homeless.items():
                given.append((parameter, _moved(path, parameter, home(parameter))))
            for group in _fsdp_parameters(model):
                group.reset_sharded_param()
            for path, parameter in alone.items():
                _copy(path, wholes[id(parameter)], parameter)
            yield
        except BaseException:
            for parameter, before in reversed(given):
                torch.utils.swap_tensors(parameter, before)  # type: ignore[no-untyped-call]
            raise


def _require_known(
    model: Any, alone: Mapping[str, torch.nn.Parameter], kept: Collection[str]
) -> None:
    """Refuse a parameter that no law draws and that is not one of those kept."""
    named = named_parameters(model)
    known = {id(named[path]) for path in kept if path in named}
    for path, parameter in alone.items():
        if id(parameter) not in known:
            raise NoStorageError.of(path, "kept")


def _copy(path: str, whole: torch.Tensor, parameter: torch.nn.Parameter) -> None:
    """Write this process's part of an array that is there."""
    with torch.no_grad():
        for piece in pieces(path, parameter):
            part = ... if piece.region is None else piece.region.slices
            piece.memory.copy_(whole[part])


def _home(
    model: Any, device: Device | None
) -> Callable[[torch.nn.Parameter | None], torch.device]:
    """Give a function: a parameter (None: a buffer) → the device it shall live on."""
    wanted = None if device is None else torch.device(device)
    if wanted is not None and wanted.type == "meta":
        expected = "a device with memory"
        raise ArgumentError.of(argument="device", received=device, expected=expected)
    parameters = list(model.parameters())
    offloaded = _offloaded(model)
    usual = wanted or _usual(parameters)

    def home(parameter: torch.nn.Parameter | None) -> torch.device:
        if wanted is None and parameter is not None and id(parameter) in offloaded:
            return torch.device("cpu")
        return usual

    return home


def _usual(parameters: Iterable[torch.nn.Parameter]) -> torch.device:
    """Give the device of the mesh, of what has memory, or PyTorch's default."""
    ready: torch.device | None = None
    for parameter in parameters:
        if is_sharded(parameter):
            kind = parameter.device_mesh.device_type  # type: ignore[attr-defined]
            return torch.empty(0, device=kind).device  # with the number of this process
        if not parameter.is_meta:
            ready = ready or parameter.device
    if ready is not None:
        return ready
    default = torch.get_default_device()
    return torch.device("cpu") if default.type == "meta" else default


def _moved(
    path: str, parameter: torch.nn.Parameter, device: torch.device
) -> torch.nn.Parameter:
    """Give a parameter memory, and the object that now holds what it was.

    Raises:
        ModelError: if other code holds on to what it was.
    """
    with torch.inference_mode(mode=False), torch.no_grad():
        empty = torch.empty_like(parameter, device=device)
        new = torch.nn.Parameter(empty, requires_grad=parameter.requires_grad)
    if type(parameter) is not type(new):
        new.__class__ = type(parameter)
    for name, value in vars(parameter).items():  # what trainers note on a parameter
        vars(new).setdefault(name, value)
    try:
        torch.utils.swap_tensors(parameter, new)  # type: ignore[no-untyped-call]
    except RuntimeError as why:
        what = (
            f"Parameter {path!r} cannot be given memory ({why}). Give it some by "
            "model.to_empty(device='cpu') before; the model is as it was."
        )
        raise ModelError(what) from why
    return new


def resharded(model: Any) -> None:
    """Let ``fully_shard`` modules hold their shards, not the weights put together.

    A forward pass puts them together; what is written to them then is lost when they
    are freed.
    """
    for module in _fsdp_modules(model):
        module.reshard()


def _fsdp_modules(model: Any) -> Iterator[Any]:
    loaded = sys.modules.get("torch.distributed.fsdp")
    if loaded is None:
        return
    yield from (m for m in model.modules() if isinstance(m, loaded.FSDPModule))


def _fsdp_parameters(model: Any) -> Iterator[Any]:
    """Yield what ``fully_shard`` keeps beside each parameter: padding, references."""
    for _, group in _fsdp_groups(model):
        yield from group.fsdp_params


def _fsdp_groups(model: Any) -> Iterator[tuple[Any, Any]]:
    for module in _fsdp_modules(model):
        state = module._get_fsdp_state()  # noqa: SLF001 (torch gives no other way)
        found = getattr(state, "_fsdp_param_groups", None)
        if found is None:  # PyTorch before 2.10
            found = [state._fsdp_param_group]  # noqa: SLF001
        yield from ((module, group) for group in found if group is not None)


def _offloaded(model: Any) -> frozenset[int]:
    """Give the identities of parameters that ``fully_shard`` keeps on the CPU."""
    return frozenset(
        id(held.sharded_param)
        for held in _fsdp_parameters(model)
        if held.offload_to_cpu
    )
