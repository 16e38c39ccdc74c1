"""Compiles a program for one run or a few: quickly, not for speed.

Op by op, JAX compiles each primitive for each shape by itself, which takes longer than
the whole program at once; and what is compiled here is run a few times, so that most
of XLA's optimization is left out (MobileNetV2's gradients: 9 s in place of 23 s).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import jax

from fanin.frameworks._jaxpr.probe import gradients

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OPTIONS: Final[dict[str, bool | int | str]] = {"xla_backend_optimization_level": 0}


def run_compiled(function: Callable[..., Any], *arguments: Any) -> Any:
    """Compile the function for these arguments and run it once.

    >>> float(run_compiled(lambda x: x * 2.0, 3.0))
    6.0
    """
    return jax.jit(function, compiler_options=OPTIONS)(*arguments)


@dataclass(frozen=True, kw_only=True, eq=False)
class Objective:
    """A traced function from parameters to a scalar, told from others by its text.

    The text of a program says all that it computes but the arrays that it closes over,
    which are handed in at each run. So a model that was changed in between (a layer
    frozen, a rate set) is another program, and a moving mean that went on is not.
    """

    closed: Any
    text: str

    @classmethod
    def of(cls, closed: Any) -> Objective:
        """Write the program of a ``jax.make_jaxpr`` down as text."""
        return cls(closed=closed, text=str(closed.jaxpr))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Objective) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def gradients(self, values: Sequence[Any]) -> list[Any | None]:
        """Give the gradient at each value; None where none arrives.

        >>> closed = jax.make_jaxpr(lambda x, y: x**2)(1.0, 1.0)
        >>> first, second = Objective.of(closed).gradients([3.0, 3.0])
        >>> float(first), second
        (6.0, None)
        """
        given = [jax.numpy.asarray(value) for value in values]
        compiled, arrived = _compiled(self)
        found = compiled(list(self.closed.consts), given)
        pairs = zip(found, arrived, strict=True)
        return [gradient if is_there else None for gradient, is_there in pairs]


@lru_cache(maxsize=4)
def _compiled(objective: Objective) -> tuple[Callable[..., Any], list[bool]]:
    """Give the compiled gradients, and which are there: known once it has run."""
    jaxpr = objective.closed.jaxpr
    arrived: list[bool] = []

    def function(consts: Sequence[Any], values: Sequence[Any]) -> Sequence[Any]:
        def loss(given: Sequence[Any]) -> Any:
            return jax.core.eval_jaxpr(jaxpr, consts, *given)[0]

        _, found = gradients(loss, values)
        arrived[:] = [gradient is not None for gradient in found]
        zero = jax.numpy.zeros(())
        return [zero if gradient is None else gradient for gradient in found]

    return jax.jit(function, compiler_options=OPTIONS), arrived
