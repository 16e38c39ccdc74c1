"""A TensorFlow graph as one flat list of steps, every inner graph laid open.

TensorFlow writes a traced function down as operations, some of which call graphs of
their own: a function called, the body of a loop, the branches of a choice. Here each
inner graph stands in line, a loop round by round. A step can be run as well as read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fanin.graph.draft import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Constant:
    """An eager tensor that the trace fixed: a literal, or one that was worked out."""

    value: Any


Source = int | Constant
"""Where a step reads: the id of a value, or a constant."""


def values_in(sources: Iterable[Source]) -> set[int]:
    """Give the ids among sources, without the constants."""
    return {source for source in sources if isinstance(source, int)}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation that runs.

    kind: TensorFlow's name for it ("MatMul"); attributes: its settings. inputs: what
    it reads; outputs: ids of the values it gives, with their ``shapes`` (a length that
    the trace does not know is None) and ``dtypes``. run: takes the inputs' eager
    tensors, gives the list of outputs. place: the layer, and the user's line.
    """

    kind: str
    inputs: tuple[Source, ...]
    outputs: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[str, ...]
    run: Callable[..., Sequence[Any]]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    place: Place = field(default_factory=Place)


@dataclass(frozen=True, kw_only=True)
class Program:
    """Steps in order of execution, ids of what goes in, and what comes out.

    dtypes: of every value, by id. has_own_derivatives: an operation in it has a
    derivative that its user wrote, which running the steps does not know of.
    """

    steps: tuple[Step, ...]
    inputs: tuple[int, ...]
    outputs: tuple[Source, ...]
    dtypes: Mapping[int, str]
    has_own_derivatives: bool = False
