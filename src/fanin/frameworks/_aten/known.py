"""Numbers of tensors that have none of their own: constants, followed on the CPU.

On the meta device a tensor has a shape and no numbers. Yet a mask, a position or an
index that is made of constants can be known, and a model that asks for it
(``mask.all()``, ``nonzero``) can be answered. So an operation whose tensors are all
known runs on the CPU as well. Views of known numbers are views there too: what is
written in place is seen through every one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

from fanin.frameworks._aten.call import SHAPE_ALONE, is_random, name_of, tensors_in
from fanin.frameworks._aten.foreseen import foreseen
from fanin.frameworks._aten.memory import storage_of
from fanin.frameworks._aten.stand_in import stand_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST_KNOWN: Final = 1 << 20
"""Entries up to which a constant is followed."""

_CPU: Final = torch.device("cpu")


class Known:
    """Follows the numbers of meta tensors, and runs operations with them.

    >>> known, meta = Known(), torch.device("meta")
    >>> lengths = known.run(torch.ops.aten.arange.default, (3,), {"device": meta})
    >>> lengths.device.type, known.numbers(lengths).tolist()
    ('meta', [0, 1, 2])
    """

    def __init__(self) -> None:
        self._held: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._by_storage: dict[int, set[int]] = {}

    def numbers(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Give a tensor's numbers, on any device; None where they are not known."""
        if not tensor.is_meta:
            return tensor.detach()
        held = self._held.get(id(tensor))
        return None if held is None else held[1]

    def tell(self, tensor: torch.Tensor, numbers: torch.Tensor) -> None:
        """Say what a meta tensor's numbers are; they are kept, not copied."""
        if tensor.is_meta and numbers.numel() <= MOST_KNOWN:
            self._held[id(tensor)] = (tensor, numbers)
            self._by_storage.setdefault(storage_of(tensor), set()).add(id(tensor))

    def run(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run an operation, and on the CPU as well where its numbers are known.

        Raises:
            Exception: what the operation raises, where neither the meta device nor
                known numbers nor a stand-in gives a result.
        """
        try:
            given = foreseen(func, args, kwargs)
            if given is None:
                given = func(*args, **kwargs)
        except Exception:
            given = self._instead(func, args, kwargs)
            if given is None:
                raise
            return given
        outputs = [t for t in tensors_in(given) if t.is_meta]
        if not outputs:
            return given
        read = args[1:] if name_of(func) in SHAPE_ALONE else args
        if self._reads_known(read, kwargs):
            self._follow(func, args, kwargs, outputs)
        else:
            self._forget(func, outputs)
        return given

    def _reads_known(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        """Say whether the numbers of everything that an operation reads are known."""
        held = self._held
        read = tensors_in(args)
        if any(tensor.is_meta and id(tensor) not in held for tensor in read):
            return False
        return not kwargs or all(
            not tensor.is_meta or id(tensor) in held
            for tensor in tensors_in(tuple(kwargs.values()))
        )

    def _follow(
        self,
        func: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        outputs: Sequence[torch.Tensor],
    ) -> None:
        is_small = max(t.numel() for t in outputs) <= MOST_KNOWN
        numbers = self._on_cpu(func, args, kwargs) if is_small else None
        if numbers is None:
            self._forget(func, outputs)
            return
        for output, found in zip(outputs, tensors_in(numbers), strict=False):
            self.tell(output, found)

    def _forget(self, func: Any, outputs: Sequence[torch.Tensor]) -> None:
        """Forget what was known of memory that has been written to."""
        if not self._held or not func._schema.is_mutable:  # noqa: SLF001 (no other way)
            return
        for output in outputs:
            for key in self._by_storage.pop(storage_of(output), ()):
                self._held.pop(key, None)

    def _on_cpu(
        self,
        func: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """Give the operation's result on known numbers; None where they are not."""
        name = name_of(func)
        if is_random(func) or "empty" in name:
            return None
        if name in SHAPE_ALONE:
            shape = (0,) if name.startswith("new_") else args[0].shape
            like = torch.empty(shape, dtype=args[0].dtype, device=_CPU)
            args = (like, *args[1:])
        arguments = _mapped(tuple(args), self._moved)
        keywords = _mapped(dict(kwargs), self._moved)
        with torch.no_grad():
            return func(*arguments, **keywords)

    def _moved(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self.numbers(value)
        return _CPU if isinstance(value, torch.device) else value

    def _instead(
        self,
        func: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """Give what an operation gives that the meta device refuses, if known."""
        read = tensors_in((args, tuple(kwargs.values())))
        is_meta = [tensor.is_meta for tensor in read]
        if not any(is_meta):
            return None
        is_known = self._reads_known(args, kwargs)
        given = self._on_cpu(func, args, kwargs) if is_known else None
        if given is not None:
            return _mapped(given, self._as_meta)
        if not all(is_meta) and not func._schema.is_mutable:  # noqa: SLF001 (no other way)
            moved = _mapped(tuple(args), self._as_meta)
            return func(*moved, **_mapped(dict(kwargs), self._as_meta))
        return stand_in(func, args, kwargs)

    def _as_meta(self, value: Any) -> Any:
        if not isinstance(value, torch.Tensor) or value.is_meta:
            return value
        made = value.to("meta")
        self.tell(made, value)
        return made


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change everything inside tuples, lists and dicts."""
    if isinstance(value, tuple | list):
        return type(value)(_mapped(item, change) for item in value)
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    return change(value)
