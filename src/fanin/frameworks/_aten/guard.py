"""Watches over memory that was there before a run: nothing in it stays changed.

A run may be lent the model's own parameters, without a copy, as long as no operation
writes into them. What would write is stopped before it does, and the run begins again
on copies. Other memory that a model writes to (a counter, a cache that it keeps
outside of its buffers) gets its numbers back when the run ends, however it ends.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import torch

from fanin.frameworks._aten.call import tensors_in
from fanin.frameworks._aten.memory import storage_of
from fanin.frameworks._aten.mode import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


class WritesToParameterError(BaseException):
    """A model is about to write into a parameter: no error of it, and not caught by it.

    It is raised before the operation runs, so that the parameter is as it was.
    """


class Guard:
    """Told of every operation before and after it runs.

    Args:
        protected: tensors into whose memory nothing may be written.
        owned: tensors made for the run alone, into which anything may be.

    >>> kept, counter = torch.ones(2), torch.zeros(1)
    >>> guard = Guard(protected=[kept])
    >>> with guard.restoring(), Guarded(guard):
    ...     _ = counter.add_(1.0)
    >>> counter.tolist()
    [0.0]
    """

    def __init__(
        self,
        protected: Iterable[torch.Tensor] = (),
        owned: Iterable[torch.Tensor] = (),
    ) -> None:
        self._protected = {storage_of(tensor) for tensor in protected}
        self._owned = {storage_of(tensor) for tensor in owned}
        self._before: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def own(self, tensors: Iterable[torch.Tensor]) -> None:
        """Say that tensors were made for the run: it may write into them."""
        self._owned.update(storage_of(tensor) for tensor in tensors)

    def before(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Stop an operation that writes into a parameter; note what else it writes to.

        Raises:
            WritesToParameterError: before anything is written.
        """
        places = _written(func)
        if not places:
            return
        for name, position in places:
            given = kwargs.get(name)
            if given is None and position < len(args):
                given = args[position]
            for tensor in tensors_in(given):
                self._note(tensor)

    def _note(self, tensor: torch.Tensor) -> None:
        key = storage_of(tensor)
        if key in self._protected:
            raise WritesToParameterError
        if key in self._owned or key in self._before or tensor.is_meta:
            return
        whole = _whole(tensor)
        self._before[key] = (whole, whole.clone())

    def after(self, func: Any, given: Any) -> None:
        """Note the memory that an operation made: it is the run's own."""
        if _makes_memory(func):
            self._owned.update(storage_of(tensor) for tensor in tensors_in(given))

    @contextmanager
    def restoring(self) -> Iterator[Guard]:
        """Write back what was in memory that the run did not make, whatever happens."""
        try:
            yield self
        finally:
            with torch.no_grad():
                for whole, numbers in self._before.values():
                    whole.copy_(numbers)
            self._before.clear()


class Guarded(Mode):
    """Tells a guard of every operation, and changes none."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._guard = guard

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        del types
        keywords = kwargs or {}
        self._guard.before(func, args, keywords)
        given = func(*args, **keywords)
        self._guard.after(func, given)
        return given


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    """Give all of the memory behind a tensor as bytes."""
    storage = tensor.untyped_storage()
    empty = torch.empty(0, dtype=torch.uint8, device=tensor.device)
    return empty.set_(storage)


_SILENT_WRITES: Final = {
    "native_batch_norm": ("running_mean", "running_var"),
    "cudnn_batch_norm": ("running_mean", "running_var"),
    "miopen_batch_norm": ("running_mean", "running_var"),
}
"""Operations that write into arguments of which their schema does not say so."""
_SILENT_VIEWS: Final = frozenset({"_unsafe_view", "_reshape_alias"})
"""Operations that give the memory they read, and do not say so."""


@cache
def _written(func: Any) -> tuple[tuple[str, int], ...]:
    """Give name and position of the arguments that an operation writes into."""
    silent = _SILENT_WRITES.get(func.overloadpacket.__name__, ())
    return tuple(
        (argument.name, position)
        for position, argument in enumerate(func._schema.arguments)  # noqa: SLF001 (the only place where it is)
        if argument.name in silent
        or (argument.alias_info is not None and argument.alias_info.is_write)
    )


@cache
def _makes_memory(func: Any) -> bool:
    """Say whether what an operation gives is no memory that it was given."""
    if func.overloadpacket.__name__ in _SILENT_VIEWS:
        return False
    returned = func._schema.returns  # noqa: SLF001 (the only place where it is)
    return all(each.alias_info is None for each in returned)
