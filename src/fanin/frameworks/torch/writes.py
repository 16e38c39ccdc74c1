"""Watch tensors being written: by which function, and on whose line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from fanin.frameworks.torch.authors import author
from fanin.graph.construction import Write, Written

if TYPE_CHECKING:
    from collections.abc import Iterator

DRAWING: Final = frozenset(
    {
        "normal",
        "uniform",
        "random",
        "bernoulli",
        "exponential",
        "log_normal",
        "cauchy",
        "geometric",
        "randn",
        "rand",
        "randint",
        "randperm",
        "randn_like",
        "rand_like",
        "randint_like",
        "multinomial",
    }
)
FILLING: Final = frozenset(
    {
        "fill",
        "zero",
        "zeros",
        "ones",
        "full",
        "zeros_like",
        "ones_like",
        "full_like",
        "new_zeros",
        "new_ones",
        "new_full",
        "scalar_tensor",
    }
)
UNWRITTEN: Final = frozenset(
    {
        "empty",
        "empty_like",
        "empty_strided",
        "empty_permuted",
        "new_empty",
        "new_empty_strided",
        "resize",
    }
)
"""They make memory and write nothing into it."""


@dataclass
class _History:
    """The writes to one memory, and the tensor that stands for it by a weak hand."""

    size: int
    writes: list[Write]
    hold: StorageWeakRef


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operation while it is on, and notes which memory it writes.

    Memory is held weakly, so that what a factory drops is dropped; a weak hand keeps
    its place from being given to other memory, so that no two histories mix.

    >>> with Watch() as watch:
    ...     weight = torch.empty(2, 2)
    ...     _ = torch.nn.init.zeros_(weight)
    >>> [write.call for write in watch.history(weight)]
    ['zeros_']
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._seen: dict[int, _History] = {}
        self._is_open = True

    def close(self) -> None:
        """Note nothing from here on."""
        self._is_open = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run one operation and note what it wrote."""
        del types
        named = kwargs or {}
        if not self._is_open:
            return func(*args, **named)
        targets = list(_tensors_in(_written_by(func, args, named)))
        if targets:
            written = _written_as(func)
            for target in targets:
                self._before(target, written)
            out = func(*args, **named)
            for target in targets:
                self._after(target, written)
            return out
        out = func(*args, **named)
        if _gives_new_memory(func):
            self._born(func, args, named, out)
        return out

    def history(self, tensor: torch.Tensor) -> tuple[Write, ...]:
        """Give the writes to a tensor's memory, the last with the size that it left."""
        found = self._seen.get(storage_of(tensor) or 0)
        if found is None or not found.writes:
            return ()
        last = replace(found.writes[-1], size=_root_mean_square(tensor))
        return (*found.writes[:-1], last)

    def _before(self, target: torch.Tensor, written: Write | None) -> None:
        """Note what the write before left, while it is still to be seen."""
        known = self._seen.get(storage_of(target) or 0)
        if known is None or not known.writes or written is None or not known.size:
            return
        last = known.writes[-1]
        is_whole = target.numel() == known.size
        if is_whole and last.where != written.where and last.size is None:
            size = _root_mean_square(target)
            known.writes[-1] = replace(last, size=size)

    def _after(self, target: torch.Tensor, written: Write | None) -> None:
        known = self._known(target)
        if known is None or written is None:
            return
        is_whole = target.numel() == known.size
        done = replace(written, is_whole=is_whole)
        last = known.writes[-1] if known.writes else None
        if last is not None and _same_act(last, done):
            # One line that fills part by part, or in several passes, decides once.
            known.writes[-1] = replace(
                done, is_whole=True if is_whole else last.is_whole
            )
        else:
            known.writes.append(done)

    def _born(self, func: Any, args: Any, named: Any, out: Any) -> None:
        """Note new memory that has its numbers from the start."""
        name = _plain_name(func)
        given = None
        for tensor in _tensors_in(out):
            key = storage_of(tensor)
            if key is None or key in self._seen:
                continue
            if given is None:
                given = {storage_of(t) for t in _tensors_in((args, named))}
            known = None if key in given else self._known(tensor)
            if known is None or name in UNWRITTEN:
                continue
            write = author(_call(func))
            known.writes.append(replace(write, kind=_kind(name), is_birth=True))

    def _known(self, tensor: torch.Tensor) -> _History | None:
        key = storage_of(tensor)
        if key is None:
            return None
        if key not in self._seen:
            storage = tensor.untyped_storage()
            size = storage.nbytes() // max(tensor.element_size(), 1)
            hold = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
            self._seen[key] = _History(size, [], hold)
        return self._seen[key]


def storage_of(tensor: torch.Tensor) -> int | None:
    """Give a key of a tensor's memory; None where it has none of its own."""
    if tensor.layout is not torch.strided:
        return None
    try:
        key: int = tensor.untyped_storage()._cdata  # noqa: SLF001 (as in `parameters.identity`)
    except (NotImplementedError, RuntimeError):
        return None
    return key


def _same_act(last: Write, new: Write) -> bool:
    return bool(new.where) and last.where == new.where and last.by is new.by


def _written_as(func: Any) -> Write | None:
    """Say what an operation writes over; None if it changes what is there."""
    name = _plain_name(func)
    is_copy = name == "copy"
    is_over = name in DRAWING | FILLING or is_copy or _has_out(func)
    if not is_over:
        return None
    write = author(_call(func))
    loaded = write.kind is Written.LOADED
    return write if loaded else replace(write, kind=_kind(name))


def _kind(name: str) -> Written:
    if name in DRAWING:
        return Written.DRAWN
    return Written.CONSTANT if name in FILLING else Written.COMPUTED


def _call(func: Any) -> str:
    return str(func.overloadpacket.__name__)


@cache
def _plain_name(func: Any) -> str:
    """Give an operation's name without what marks it as in place."""
    name = str(func.overloadpacket.__name__)
    return name.removesuffix("_").removeprefix("_foreach_")


@cache
def _has_out(func: Any) -> bool:
    """Say whether an operation writes into a tensor that it is handed for that."""
    arguments = func._schema.arguments  # noqa: SLF001 (the only account of what it writes)
    return any(a.alias_info and a.alias_info.is_write and a.is_out for a in arguments)


@cache
def _places_written(func: Any) -> tuple[tuple[int, str], ...]:
    """Give position and name of the arguments that an operation writes to."""
    arguments = func._schema.arguments  # noqa: SLF001
    return tuple(
        (i, a.name)
        for i, a in enumerate(arguments)
        if a.alias_info is not None and a.alias_info.is_write
    )


@cache
def _gives_new_memory(func: Any) -> bool:
    """Say whether what an operation returns is no view of what it was given."""
    returns = func._schema.returns  # noqa: SLF001
    return bool(returns) and all(each.alias_info is None for each in returns)


def _written_by(func: Any, args: Any, named: Any) -> Iterator[Any]:
    for position, name in _places_written(func):
        if name in named:
            yield named[name]
        elif position < len(args):
            yield args[position]


def _tensors_in(values: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors in nested tuples, lists and dicts."""
    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, dict):
        yield from _tensors_in(values.values())
    elif isinstance(values, Iterable) and not isinstance(values, str | bytes):
        for value in values:
            yield from _tensors_in(value)


def _root_mean_square(tensor: torch.Tensor) -> float | None:
    """Give √(mean of squares); None where there are no numbers to look at."""
    held = tensor.detach()
    if held.is_meta or held.numel() == 0 or not held.is_floating_point():
        return None
    # A norm is taken in one pass, without a copy as wide as the tensor.
    wide = torch.linalg.vector_norm(held, dtype=torch.float64)
    return float(wide / held.numel() ** 0.5)
