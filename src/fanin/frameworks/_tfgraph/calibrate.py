"""Finds the factor of each weight while a TensorFlow program runs forward once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.frameworks._tfgraph.interpret import interpret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._tfgraph.record import Argument
    from fanin.frameworks._tfgraph.steps import Program
    from fanin.frameworks.program import Recorded


def calibrate(
    program: Program,
    arguments: Sequence[Argument],
    recorded: Recorded,
    targets: Mapping[str, float],
) -> dict[str, float]:
    """Run the program once, and scale the output of each linear step as it appears.

    The factor is found where a weight first gives anything but zeros (a recurrent
    one gives zeros in the first round); wherever it is used again, the output is
    multiplied by the same factor, as if the weight had been.

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
    factors: dict[str, float] = {}

    def scale(value: int, tensor: Any) -> Any:
        path = recorded.linears.get(value, "")
        if path not in targets:
            return tensor
        factor = factors.get(path) or _factor(tensor, targets[path])
        if factor is None:
            return tensor
        factors[path] = factor
        return tensor * np.asarray(factor).astype(tensor.dtype.as_numpy_dtype)

    interpret(program, [argument.value for argument in arguments], scale)
    return {path: factors.get(path, 1.0) for path in targets}


def _factor(tensor: Any, target: float) -> float | None:
    """Give target / root mean square; None where that is no number."""
    numbers = np.asarray(tensor.numpy(), dtype=np.float64)
    size = float(np.sqrt(np.square(numbers).mean()))
    return target / size if np.isfinite(size) and size > 0.0 else None
