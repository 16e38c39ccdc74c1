"""A jaxpr as one flat list of steps, every inner program laid open.

JAX writes a traced function down as equations, some of which hold programs of their
own: ``jit``, ``remat``, ``custom_jvp``, ``scan``. Here each inner program stands in
line, its values numbered anew for every call, since JAX hands out one program for all
calls of a function. A step can be run as well as read:

- what ``jit`` and ``remat`` hold is run step by step, which changes no number;
- a function with a derivative of its own (``custom_jvp``, ``custom_vjp``) is run as a
  whole, since its steps have another derivative: that of ``jax.nn.relu`` at 0 is 0,
  that of the ``max`` inside is ½. Its steps are kept for reading (``inner``);
- ``scan`` is unrolled where it is short, else run as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Constant:
    """A number or array that the trace fixed: a literal, or a closed-over value."""

    value: Any


Source = int | Constant
"""Where a step reads: the id of a value, or a constant."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One primitive that runs.

    primitive: JAX's name for it; params: its settings. inputs: what it reads; outputs:
    ids of the values it gives, with their ``shapes`` and ``dtypes``. run: takes the
    inputs' values, gives the list of outputs. inner: the steps inside a function with
    a derivative of its own; the last of them give the same output ids. scope: the
    name scopes it ran in ("sequential/dense"); source: "file.py:23".
    """

    primitive: str
    inputs: tuple[Source, ...]
    outputs: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[str, ...]
    run: Callable[..., Sequence[Any]]
    params: Mapping[str, Any] = field(default_factory=dict)
    inner: tuple[Step, ...] = ()
    scope: str = ""
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class Program:
    """Steps in order of execution, ids of what goes in, and what comes out.

    shapes and dtypes: of every value, by id.
    """

    steps: tuple[Step, ...]
    inputs: tuple[int, ...]
    outputs: tuple[Source, ...]
    shapes: Mapping[int, tuple[int, ...]]
    dtypes: Mapping[int, str]

    def readable(self) -> Iterator[Step]:
        """Yield every step in order; the inner ones in place of the one around them."""
        for step in self.steps:
            yield from _opened(step)


def _opened(step: Step) -> Iterator[Step]:
    if not step.inner:
        yield step
    for inner in step.inner:
        yield from _opened(inner)
