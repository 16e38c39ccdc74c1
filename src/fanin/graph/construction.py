"""What was seen while a factory built a model: who wrote which parameter."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Writer(StrEnum):
    """Whose code decided on a write."""

    LAYER = "layer"
    """The framework's own layer, as it does for everybody who makes one."""
    LIBRARY = "library"
    """An installed package."""
    USER = "user"
    """Any other code: the model's own."""


class Written(StrEnum):
    """What a write leaves behind."""

    DRAWN = "drawn"
    CONSTANT = "constant"
    COMPUTED = "computed"
    """Anything else: a table, an orthogonal matrix, numbers of another tensor."""
    LOADED = "loaded"
    """Numbers of a file or of another model's state."""


@dataclass(frozen=True, kw_only=True)
class Write:
    """One time that a parameter's numbers were decided.

    call: the function that wrote ("normal_", "Linear.reset_parameters"). where: the
    line that asked for it ("net.py:23"), "" if none is known; via: the line that called
    the function which that line stands in. is_whole: every number
    was written. is_birth: the memory was made with these numbers in it
    (``torch.zeros(3)``), as it is where a later line decides. size: the root mean
    square that it left, where it is known.
    """

    call: str
    where: str = ""
    via: str = ""
    by: Writer = Writer.USER
    kind: Written = Written.DRAWN
    is_whole: bool = True
    is_birth: bool = False
    size: float | None = None

    def __str__(self) -> str:
        """Give "normal_ at net.py:23"."""
        return f"{self.call} at {self.where}" if self.where else self.call


@dataclass(frozen=True, kw_only=True)
class Construction:
    """The writes to each parameter, by path, in their order.

    never_written: paths that hold memory which nobody filled. Parameters whose history
    was not seen (made elsewhere, and only handed out by the factory) are not in
    ``writes``.

    >>> first = Write(call="zeros_", where="net.py:3", kind=Written.CONSTANT)
    >>> print(Construction(writes={"B": (first,)}).writes["B"][0])
    zeros_ at net.py:3
    """

    never_written: tuple[str, ...] = ()
    writes: Mapping[str, tuple[Write, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
