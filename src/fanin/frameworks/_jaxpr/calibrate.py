"""Finds the factor of each weight while a JAX program runs forward once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from fanin.frameworks._jaxpr.compiled import run_compiled
from fanin.frameworks._jaxpr.interpret import interpret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._jaxpr.record import Argument
    from fanin.frameworks._jaxpr.steps import Program
    from fanin.frameworks.program import Recorded


def calibrate(
    program: Program,
    arguments: Sequence[Argument],
    recorded: Recorded,
    targets: Mapping[str, float],
) -> dict[str, float]:
    """Run the program once, and scale the output of each linear step as it appears.

    The factor is found where a weight is first used on anything but zeros (as the first
    state of a recurrence is); wherever it is used again, the output is multiplied by
    the same factor, as if the weight had been.

    Args:
        program: the steps.
        arguments: what goes in.
        recorded: its graph, and ``linears``: the value that each linear node's step
            gave before a bias was added.
        targets: root mean square wanted of each weight's output, by path.

    Returns:
        The factor of each weight in ``targets``; 1 where its output is all zero, not
        finite, or where the weight is not used.
    """
    paths = {value: path for value, path in recorded.linears.items() if path in targets}

    def run(given: Sequence[Any]) -> dict[str, Any]:
        factors: dict[str, Any] = {}

        def scale(value: int, array: Any) -> Any:
            path = paths[value]
            found = _factor(array, targets[path])
            known = factors.get(path, 0.0)
            factor = factors[path] = jnp.where(known > 0.0, known, found)
            usable = jnp.where(factor > 0.0, factor, 1.0)
            return array * usable.astype(array.dtype)

        interpret(program, given, scale, paths)
        return factors

    found = run_compiled(run, [argument.value for argument in arguments])
    return {path: float(found.get(path, 0.0)) or 1.0 for path in targets}


def _factor(array: Any, target: float) -> Any:
    """Give target / root mean square, in float32; 0 where that is no number."""
    numbers = array.astype(jnp.float32)
    # Squares of very large or small numbers leave float32: scale by the largest first.
    largest = jnp.max(jnp.abs(numbers))
    size = largest * jnp.sqrt(jnp.mean(jnp.square(numbers / largest)))
    factor = target / size
    return jnp.where(jnp.isfinite(factor) & (factor > 0.0), factor, 0.0)
