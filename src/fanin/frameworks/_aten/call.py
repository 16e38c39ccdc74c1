"""One call of an ATen operation: its name, its arguments by name, what it gave."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


WHOLLY_WRITTEN: Final = frozenset({"copy", "fill", "zero"})
"""Operations that, in place, leave nothing of the numbers that were there."""


SHAPE_ALONE: Final = frozenset(
    {
        "empty_like",
        "full_like",
        "new_empty",
        "new_empty_strided",
        "new_full",
        "new_ones",
        "new_zeros",
        "ones_like",
        "zeros_like",
    }
)
"""Operations that read the shape and type of their first tensor, no number of it."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A schema: the arguments' names, their defaults, and which are changed."""

    name: str
    full_name: str
    names: tuple[str, ...]
    defaults: Mapping[str, Any]
    written: tuple[str, ...]


@cache
def _signature(func: Any) -> Signature:
    schema = func._schema  # noqa: SLF001 (the only place where it is)
    packet = func.overloadpacket.__name__
    is_in_place = packet.endswith("_") and not packet.endswith("__")
    arguments = schema.arguments
    name = packet.rstrip("_") if is_in_place else packet
    return Signature(
        name=name,
        full_name=f"{func.namespace}.{name}",
        names=tuple(argument.name for argument in arguments),
        defaults={
            a.name: a.default_value if a.has_default_value() else None
            for a in arguments
        },
        written=tuple(
            a.name
            for a in arguments
            if a.alias_info is not None and a.alias_info.is_write
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that has run.

    name: of the operation, without overload and without the underscore of those that
    work in place. arguments: by name, defaults included. outputs: the tensors that it
    gave. written: the tensors that it changed.
    """

    func: Any
    name: str
    arguments: Mapping[str, Any]
    outputs: tuple[torch.Tensor, ...]
    written: tuple[torch.Tensor, ...]

    @classmethod
    def of(
        cls, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], given: Any
    ) -> Call:
        """Describe a call by the operation's schema.

        >>> add = torch.ops.aten.add.Tensor
        >>> x = torch.ones(2)
        >>> call = Call.of(add, (x, x), {}, x)
        >>> call.name, sorted(call.arguments)
        ('add', ['alpha', 'other', 'self'])
        """
        known = _signature(func)
        arguments = dict(known.defaults)
        arguments.update(zip(known.names, args, strict=False))
        arguments.update(kwargs)
        return cls(
            func=func,
            name=known.name,
            arguments=arguments,
            outputs=tuple(tensors_in(given)),
            written=tuple(
                tensor
                for name in known.written
                for tensor in tensors_in(arguments[name])
            ),
        )

    @property
    def full_name(self) -> str:
        """Give the name as fanin shows it: "aten.addmm"."""
        return _signature(self.func).full_name

    @cached_property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """Give the tensors among the arguments, in order."""
        return tuple(tensors_in(list(self.arguments.values())))

    @property
    def read(self) -> tuple[torch.Tensor, ...]:
        """Give the tensors whose numbers matter, and not their shape alone."""
        if self.name in SHAPE_ALONE:
            return self.tensors[1:]
        is_filled = self.name in WHOLLY_WRITTEN and bool(self.written)
        return self.tensors[1:] if is_filled else self.tensors

    @property
    def shape(self) -> tuple[int, ...]:
        """Give the shape of the first output."""
        return tuple(self.outputs[0].shape)

    @property
    def is_random(self) -> bool:
        """Say whether it draws random numbers."""
        return is_random(self.func)

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, *names: str) -> Any:
        """Give the argument under the first of these names that the schema has."""
        return next((self.arguments[n] for n in names if n in self.arguments), None)


def name_of(func: Any) -> str:
    """Give an operation's name, without the underscore of those that work in place."""
    return _signature(func).name


@cache
def is_random(func: Any) -> bool:
    """Say whether an operation draws random numbers."""
    return torch.Tag.nondeterministic_seeded in func.tags


def full_name_of(func: Any) -> str:
    """Give an operation's name as fanin shows it: "aten.addmm"."""
    return _signature(func).full_name


def is_counted(call: Call) -> bool:
    """Say whether a call has a number in the order of execution.

    Autograd detaches a new tensor only where someone else holds it too, as a recorder
    does. So such calls come and go, and they change no number.
    """
    return is_counted_name(call.full_name)


def is_counted_name(name: str) -> bool:
    """Say the same of an operation by its full name."""
    return name not in {"aten.detach", "aten.alias"}


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors of an argument or output, lists opened."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, _LISTS):
        for item in value:
            if isinstance(item, torch.Tensor):
                yield item
            elif isinstance(item, _LISTS):
                yield from tensors_in(item)


_LISTS: Final = (tuple, list)
