"""Find the factor of each weight while a torch model runs forward once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fanin.errors import UnknownParameterError
from fanin.frameworks._aten.meter import as_float64
from fanin.frameworks.torch.batch import arguments_of
from fanin.frameworks.torch.loan import borrowed, copies
from fanin.frameworks.torch.parameters import parameters
from fanin.frameworks.torch.recording import Portrait, recorded
from fanin.frameworks.torch.run import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph import Task


def calibrate(
    model: Any,
    task: Task,
    values: Mapping[str, np.ndarray],
    targets: Mapping[str, float],
) -> dict[str, float]:
    """Find the factors that give each weight's output the wanted root mean square.

    As an operation contracts a weight, its output (without the bias) is multiplied on
    the spot, so that everything after it reads calibrated numbers: one forward pass
    does for any depth. A weight that is used again is multiplied by the factor of its
    first use.

    Args:
        model: a module; it is left as it is.
        task: its batch is run; loss and target are not read.
        values: the parameters to run with, by path.
        targets: wanted root mean square of each weight's output, by the weight's path.

    Returns:
        The factor of each weight in ``targets``: 1 where the output is zero or not
        finite, and where no contraction reads the weight itself.

    Raises:
        UnknownParameterError: if a path is no parameter's.
        NoStorageError, BatchError, ModelError: as ``measure``.

    >>> from fanin.graph import Task
    >>> net = torch.nn.Linear(2, 1)
    >>> values = {"weight": np.array([[1.0, 1.0]]), "bias": np.array([7.0])}
    >>> task = Task(batch=np.array([[3.0, 1.0], [-4.0, 0.0]]))
    >>> calibrate(net, task, values, {"weight": 2.0})
    {'weight': 0.5}
    """
    first = {n: p.path for p in parameters(model) for n in (p.path, *p.aliases)}
    for path in targets:
        if path not in first:
            raise UnknownParameterError.of(path, first)
    wanted = {first[path]: target for path, target in targets.items()}
    substitutes = copies(model, values)
    arguments = arguments_of(model, task)
    portrait = Portrait.of(model)
    factors: dict[str, float] = {}

    def change(
        path: str, output: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        if path not in wanted:
            return output
        sums = output if bias is None else output - bias
        if path not in factors:
            factors[path] = _factor(sums, wanted[path])
        scaled = sums * factors[path]
        return scaled if bias is None else scaled + bias

    with (
        borrowed(model, substitutes, task.seed),
        told(model, arguments),
        torch.no_grad(),
    ):
        recorded(model, arguments.copied(), substitutes, portrait, change)
    return {path: factors.get(first[path], 1.0) for path in targets}


def _factor(sums: torch.Tensor, target: float) -> float:
    with np.errstate(all="ignore"):
        size = float(np.sqrt(np.square(as_float64(sums)).mean()))
    return target / size if np.isfinite(size) and size > 0.0 else 1.0
