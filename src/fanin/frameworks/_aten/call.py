"""One call of an ATen operation: its name, its arguments by name, what it gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


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
        schema = func._schema  # noqa: SLF001 (the only place where it is)
        arguments: dict[str, Any] = {}
        written: list[torch.Tensor] = []
        for place, argument in enumerate(schema.arguments):
            value = argument.default_value if argument.has_default_value() else None
            if place < len(args):
                value = args[place]
            value = kwargs.get(argument.name, value)
            arguments[argument.name] = value
            is_written = (
                argument.alias_info is not None and argument.alias_info.is_write
            )
            if is_written:
                written += tensors_in(value)
        packet = func.overloadpacket.__name__
        is_in_place = packet.endswith("_") and not packet.endswith("__")
        return cls(
            func=func,
            name=packet.rstrip("_") if is_in_place else packet,
            arguments=arguments,
            outputs=tuple(tensors_in(given)),
            written=tuple(written),
        )

    @property
    def full_name(self) -> str:
        """Give the name as fanin shows it: "aten.addmm"."""
        return f"{self.func.namespace}.{self.name}"

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """Give the tensors among the arguments, in order."""
        return tuple(tensors_in(list(self.arguments.values())))

    @property
    def shape(self) -> tuple[int, ...]:
        """Give the shape of the first output."""
        return tuple(self.outputs[0].shape)

    def has_tag(self, tag: Any) -> bool:
        """Say whether the operation has a tag of ``torch.Tag``."""
        return tag in self.func.tags

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, *names: str) -> Any:
        """Give the argument under the first of these names that the schema has."""
        return next((self.arguments[n] for n in names if n in self.arguments), None)


def is_counted(call: Call) -> bool:
    """Say whether a call has a number in the order of execution.

    Autograd detaches a new tensor only where someone else holds it too, as a recorder
    does. So such calls come and go, and they change no number.
    """
    return call.full_name not in {"aten.detach", "aten.alias"}


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors of an argument or output, lists opened."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors_in(item)
