"""Numbers that no law draws, for tensors without memory: from the modules that know.

A buffer's numbers are no weights (rotary frequencies, a mask, running statistics), nor
are those of a parameter that keeps what its author wrote (a table of sinusoids, decay
rates of a scan). Nothing can guess them. Many modules have a method that writes them
anew, and it is called with meta tensors in the place of all other parameters, so that
it draws nothing else.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from fanin.errors import ModelError, NoStorageError
from fanin.frameworks._aten.random_state import seeded
from fanin.frameworks.torch.materialize_ways import ways
from fanin.frameworks.torch.module_state import restore, state_of, undone_on_error
from fanin.frameworks.torch.sharded import shape_alone
from fanin.frameworks.torch.wrapped import module_paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Wholes = dict[int, torch.Tensor]


@contextmanager
def given_buffers(
    model: Any,
    device: torch.device,
    kept: Mapping[str, torch.nn.Parameter] | None = None,
) -> Iterator[Wholes]:
    """Give every buffer on the meta device memory and its numbers; undone on an error.

    Plain attributes that hold such a tensor are treated alike. Numbers that a module
    draws come from generators seeded by 0: the same on every process.

    Args:
        model: a module.
        device: of the buffers.
        kept: by path, parameters without memory that no law draws.

    Yields:
        By identity, what the modules wrote for the kept parameters, whole.

    Raises:
        ModelError: if no method of a module writes a buffer; it names them and says
            what to do.
        NoStorageError: if none writes a kept parameter, or one that is frozen could
            only be drawn: it is meant to hold trained numbers. The model is as it was.

    >>> net = torch.nn.BatchNorm1d(2, affine=False, device="meta")
    >>> with given_buffers(net, torch.device("cpu")):
    ...     net.running_var.tolist()
    [1.0, 1.0]
    """
    names = {id(parameter): path for path, parameter in (kept or {}).items()}
    places = tuple(_places(model, names))
    asking = _Asking(device=device, places=places)
    with ExitStack() as stack:
        if asking.places:
            stack.enter_context(undone_on_error(model.modules()))
            asking.ask()
            asking.require_all()
        yield asking.wholes


def known_buffers(model: Any) -> dict[str, torch.Tensor]:
    """Give the numbers of buffers on the meta device that their modules know, by name.

    The model is left as it is.

    >>> net = torch.nn.BatchNorm1d(2, affine=False, device="meta")
    >>> known_buffers(net)["running_var"].tolist(), net.running_var.is_meta
    ([1.0, 1.0], True)
    """
    if not any(buffer.is_meta for buffer in model.buffers()):
        return {}
    were_meta = {name for name, held in model.named_buffers() if held.is_meta}
    places = tuple(_places(model, {}))
    asking = _Asking(device=torch.device("cpu"), places=places)
    states = [(module, state_of(module)) for module in model.modules()]
    try:
        asking.ask()
        unknown = {id(place.tensor) for place in asking.unknown()}
        return {
            name: held
            for name, held in model.named_buffers()
            if name in were_meta and not held.is_meta and id(held) not in unknown
        }
    finally:
        for module, state in states:
            restore(module, state)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a module holds a tensor without memory.

    around: the module and those that hold it, the innermost first. table: its buffers,
    its attributes or its parameters. name: in the table. path: for messages. before:
    what is there. is_parameter: it is a parameter, which stays there.
    """

    around: tuple[Any, ...]
    table: dict[str, Any]
    name: str
    path: str
    before: torch.Tensor
    is_parameter: bool

    @property
    def tensor(self) -> Any:
        """Give what is there now."""
        return self.table.get(self.name)


@dataclass(frozen=True, kw_only=True)
class _Asking:
    """Lays memory under tensors and asks their modules to write it.

    made: by identity of what was there, memory full of a number that shows that it is
    not written. wholes: the same for kept parameters. versions: of that memory, by its
    identity. reasons: errors of modules.
    """

    device: torch.device
    places: tuple[_Place, ...]
    made: Wholes = field(default_factory=dict)
    wholes: Wholes = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    reasons: list[Exception] = field(default_factory=list)

    def ask(self, seed: int = 0) -> None:
        with seeded(seed), torch.inference_mode(mode=False), torch.no_grad():
            for place in self.places:
                self._lay(place)
            for place in self.places:
                self._ask_for(place)

    def _lay(self, place: _Place) -> None:
        """Lay memory under one; a tensor that two modules hold stays one."""
        held = self.wholes if place.is_parameter else self.made
        key = id(place.before)
        if key not in held:
            blank = shape_alone(place.before)
            filled = torch.full_like(blank, _odd(blank), device=self.device)
            is_whole = place.is_parameter
            held[key] = _parameter(filled) if is_whole else filled
            self.versions[id(held[key])] = held[key]._version  # noqa: SLF001
        if not place.is_parameter:
            place.table[place.name] = held[key]

    def _ask_for(self, place: _Place) -> None:
        for write, module in ways(place.around):
            if self._is_written(place):
                return
            try:
                with _stand_ins(module, self.wholes), torch.device(self.device):
                    write()
            except Exception as why:
                self.reasons.append(why)  # another way may do

    def _is_written(self, place: _Place) -> bool:
        now = self.wholes[id(place.before)] if place.is_parameter else place.tensor
        if not isinstance(now, torch.Tensor) or now.is_meta:
            return now is None
        version = self.versions.get(id(now))
        if version is None or version != now._version or now.numel() == 0:  # noqa: SLF001
            return True
        odd = _odd(now)
        return not bool((now.isnan() if odd != odd else now == odd).all())

    def unknown(self) -> list[_Place]:
        return [place for place in self.places if not self._is_written(place)]

    def require_all(self) -> None:
        unknown = self.unknown()
        reason = next(iter(self.reasons), None)
        for place in (*unknown, *self._drawn()):
            if place.is_parameter:
                raise NoStorageError.of(place.path, "kept") from reason
        if unknown:
            raise ModelError(_nobody_knows([p.path for p in unknown])) from reason

    def _drawn(self) -> list[_Place]:
        """Give the frozen parameters that modules write otherwise from another seed."""
        own = [p for p in self.places if p.is_parameter and not p.before.requires_grad]
        again = _Asking(device=self.device, places=tuple(own))
        again.ask(seed=1)
        return [
            place
            for place in own
            if not torch.equal(
                self.wholes[id(place.before)], again.wholes[id(place.before)]
            )
        ]


def _parameter(tensor: torch.Tensor) -> torch.nn.Parameter:
    return torch.nn.Parameter(tensor, requires_grad=False)


def _places(model: Any, kept: Mapping[int, str]) -> Iterator[_Place]:
    paths, modules = module_paths(model), dict(model.named_modules())
    for raw, module in modules.items():
        parts = raw.split(".") if raw else []
        around = [modules[".".join(parts[:n])] for n in range(len(parts), -1, -1)]
        prefix = f"{paths[raw]}." if paths[raw] else ""
        for table, name, held in _wanted(module, kept):
            yield _Place(
                around=tuple(around),
                table=table,
                name=name,
                path=kept.get(id(held), prefix + name),
                before=held,
                is_parameter=id(held) in kept,
            )


def _wanted(
    module: Any, kept: Mapping[int, str]
) -> Iterator[tuple[dict[str, Any], str, torch.Tensor]]:
    """Yield what a module holds without memory, with its table and its name there."""
    for table in (module._buffers, module.__dict__):  # noqa: SLF001
        yield from ((table, n, t) for n, t in table.items() if _is_homeless(t))
    own = module._parameters  # noqa: SLF001
    yield from ((own, n, t) for n, t in own.items() if id(t) in kept)


def _is_homeless(held: Any) -> bool:
    """Say whether it is a tensor without memory, and no output that was kept."""
    return isinstance(held, torch.Tensor) and held.is_meta and held.grad_fn is None


def _odd(tensor: torch.Tensor) -> Any:
    """Give a number that no tensor is filled with."""
    if tensor.is_floating_point() or tensor.is_complex():
        return float("nan")
    return False if tensor.dtype == torch.bool else torch.iinfo(tensor.dtype).max


@contextmanager
def _stand_ins(module: Any, wholes: Wholes) -> Iterator[None]:
    """Lay the wholes in the place of their parameters, meta tensors in that of others.

    What a module puts there in their place is taken as the new whole.
    """
    tables = [inner._parameters for inner in module.modules()]  # noqa: SLF001
    kept = [dict(table) for table in tables]
    own = [{n: t for n, t in table.items() if t is not None} for table in tables]
    try:
        for table, held in zip(tables, own, strict=True):
            table.update({n: _stand_in(t, wholes) for n, t in held.items()})
        yield
    finally:
        for table, before, held in zip(tables, kept, own, strict=True):
            wholes.update(
                (id(t), table[n])
                for n, t in held.items()
                if id(t) in wholes and not table[n].is_meta
            )
            table.clear()
            table.update(before)


def _stand_in(parameter: torch.Tensor, wholes: Wholes) -> torch.Tensor:
    whole = wholes.get(id(parameter))
    return torch.nn.Parameter(shape_alone(parameter)) if whole is None else whole


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
