"""Numbers for buffers that have no memory: from the modules that know how to make them.

A buffer's numbers are no weights: rotary frequencies, a mask, running statistics.
Nothing can guess them. Many modules have a method that writes them anew, and it is
called with meta tensors in the parameters' place, so that it draws nothing.
"""

from __future__ import annotations

import inspect
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch

from fanin.errors import ModelError
from fanin.frameworks._aten.random_state import seeded
from fanin.frameworks.torch.module_state import undone_on_error
from fanin.frameworks.torch.sharded import shape_alone
from fanin.frameworks.torch.wrapped import module_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

METHODS: Final = (
    "reset_buffers",
    "reset_running_stats",
    "rope_init",
    "reset_parameters",
    "_reset_parameters",
    "init_weights",
)
"""What modules call the method that writes their buffers anew, the surest first: a name
for it alone; batch norm's; torchtune's; those that write the parameters as well
(FSDP's contract for the meta device); torchtitan's."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a module holds a tensor without memory.

    table: its buffers, or its attributes. name: in the table. path: for messages.
    """

    table: dict[str, Any]
    name: str
    path: str

    @property
    def tensor(self) -> Any:
        """Give what is there now."""
        return self.table.get(self.name)


@contextmanager
def given_buffers(model: Any, device: torch.device) -> Iterator[None]:
    """Give every buffer on the meta device memory and its numbers; undone on an error.

    Plain attributes that hold such a tensor are treated alike. Numbers that a module
    draws for a buffer come from generators seeded by 0: the same on every process.

    Raises:
        ModelError: if no method of a module writes one; it names them and says what to
            do. The model is as it was.

    >>> net = torch.nn.BatchNorm1d(2, affine=False, device="meta")
    >>> with given_buffers(net, torch.device("cpu")):
    ...     net.running_var.tolist()
    [1.0, 1.0]
    """
    owners = [(module, places) for module, places in _owners(model) if places]
    with ExitStack() as stack:
        if owners:
            stack.enter_context(undone_on_error(model.modules()))
            with seeded(0), torch.inference_mode(mode=False), torch.no_grad():
                _fill_all(model, owners, device)
        yield


def _owners(model: Any) -> Iterator[tuple[Any, list[Place]]]:
    paths = module_paths(model)
    for raw, module in model.named_modules():
        prefix = f"{paths[raw]}." if paths[raw] else ""
        yield (
            module,
            [
                Place(table=table, name=name, path=prefix + name)
                for table in (module._buffers, vars(module))  # noqa: SLF001
                for name, held in table.items()
                if _is_homeless(held)
            ],
        )


def _is_homeless(held: Any) -> bool:
    """Say whether it is a tensor without memory, and no output that was kept."""
    return isinstance(held, torch.Tensor) and held.is_meta and held.grad_fn is None


def _fill_all(
    model: Any, owners: list[tuple[Any, list[Place]]], device: torch.device
) -> None:
    unknown: list[str] = []
    reasons: list[Exception] = []
    made: dict[int, torch.Tensor] = {}  # a buffer that two modules hold stays one
    for module, places in owners:
        marks = [_Mark.on(place, device, made) for place in places]
        for write in _ways(model, module):
            if not all(mark.is_gone for mark in marks):
                reasons += _tried(write, module, device)
        unknown += [mark.place.path for mark in marks if not mark.is_gone]
    if unknown:
        raise ModelError(_nobody_knows(unknown)) from next(iter(reasons), None)


def _tried(
    write: Callable[[], object], module: Any, device: torch.device
) -> list[Exception]:
    """Let a module write its buffers; give its error: another way may do."""
    try:
        with _without_parameters(module), torch.device(device):
            write()
    except Exception as why:
        return [why]
    return []


@dataclass(frozen=True, kw_only=True)
class _Mark:
    """Memory laid under a buffer, full of a number that shows that it is unwritten."""

    place: Place
    tensor: torch.Tensor
    version: int

    @classmethod
    def on(
        cls, place: Place, device: torch.device, made: dict[int, torch.Tensor]
    ) -> _Mark:
        before = place.tensor
        if id(before) not in made:
            made[id(before)] = torch.full_like(before, _odd(before), device=device)
        tensor = made[id(before)]
        place.table[place.name] = tensor
        return cls(place=place, tensor=tensor, version=tensor._version)  # noqa: SLF001

    @property
    def is_gone(self) -> bool:
        """Say whether there are other numbers now."""
        now = self.place.tensor
        if now is not self.tensor:
            return not (isinstance(now, torch.Tensor) and now.is_meta)
        if now._version != self.version or now.numel() == 0:  # noqa: SLF001
            return True
        odd = _odd(now)
        return not bool((now.isnan() if odd != odd else now == odd).all())


def _odd(tensor: torch.Tensor) -> Any:
    """Give a number that no buffer is filled with."""
    if tensor.is_floating_point() or tensor.is_complex():
        return float("nan")
    return False if tensor.dtype == torch.bool else torch.iinfo(tensor.dtype).max


def _ways(model: Any, module: Any) -> Iterator[Callable[[], object]]:
    """Yield what may write a module's buffers, the surest first."""
    for name in METHODS:
        method = getattr(module, name, None)
        if name == "reset_parameters":
            yield from _transformers(model, module)
        if callable(method) and _needs_nothing(method):
            yield method


def _needs_nothing(method: Callable[..., object]) -> bool:
    try:
        inspect.signature(method).bind()
    except (TypeError, ValueError):
        return False
    return True


def _transformers(model: Any, module: Any) -> Iterator[Callable[[], object]]:
    """Yield the way of ``transformers``, of its innermost model around the module."""
    around = [m for m in model.modules() if _is_pretrained(m) and module in _all_of(m)]
    if not around:
        return
    from transformers import initialization

    def write() -> None:
        with initialization.guard_torch_init_functions():
            around[-1]._init_weights(module)  # noqa: SLF001 (as its own loader does)

    yield write


def _is_pretrained(module: Any) -> bool:
    names = ((kind.__module__, kind.__name__) for kind in type(module).__mro__)
    return ("transformers.modeling_utils", "PreTrainedModel") in names


def _all_of(module: Any) -> set[Any]:
    return set(module.modules())


@contextmanager
def _without_parameters(module: Any) -> Iterator[None]:
    """Lay meta tensors in the place of parameters, so that nothing is drawn."""
    tables = [inner._parameters for inner in module.modules()]  # noqa: SLF001
    kept = [dict(table) for table in tables]
    try:
        for table in tables:
            own = {name: held for name, held in table.items() if held is not None}
            table.update(
                {n: torch.nn.Parameter(shape_alone(t)) for n, t in own.items()}
            )
        yield
    finally:
        for table, before in zip(tables, kept, strict=True):
            table.clear()
            table.update(before)


def _nobody_knows(paths: list[str]) -> str:
    shown = ", ".join(map(repr, paths[:8])) + (", …" if len(paths) > 8 else "")
    one = len(paths) == 1
    what = f"Buffer {shown} is" if one else f"Buffers {shown} are"
    whose = "its module writes it" if one else "their modules writes them"
    return (
        f"{what} on the meta device, and no method of {whose}: numbers that are no "
        "weights cannot be drawn. Give the module a method reset_buffers() that writes "
        "them, or build the model under fanin.weightless(), which leaves buffers in "
        "memory, in place of torch.device('meta'). The model is as it was."
    )
