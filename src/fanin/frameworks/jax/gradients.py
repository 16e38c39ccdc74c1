"""The objective's gradients at given parameter values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

from fanin.frameworks._jaxpr.compiled import Objective
from fanin.frameworks.jax.measure import as_arrays, ready
from fanin.frameworks.views import kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.frameworks.framework import Keep
    from fanin.graph import Task


def gradients(
    model: Any,
    task: Task,
    values: Mapping[str, np.ndarray],
    keep: Keep | None = None,
) -> dict[str, np.ndarray | None]:
    """Give the objective's gradients at these parameter values, and no more.

    Args:
        model: as in `record`, with real arrays; it is not changed.
        task: the batch, the loss and the target.
        values: by path; parameters left out have the model's own values.
        keep: what is kept of each gradient; None for all of it.

    Returns:
        By path, an array in the parameter's shape; None for one that the objective
        does not depend on.

    Raises:
        NoStorageError: if an array is only a shape.
        NothingToTrainError: if the model has no parameter.
        ModelError, BatchError: if the model or the loss raises.
    """
    run = ready(model, task)
    arrays = run.arrays(values)

    def objective(*given: Any) -> Any:
        at = dict(zip(arrays, given, strict=True))
        return run.loss(run.outputs(at, run.arguments))

    held = list(arrays.values())
    with run.errors():
        found = Objective.of(jax.make_jaxpr(objective)(*held)).gradients(held)
    return kept(as_arrays(dict(zip(arrays, found, strict=True))), keep)
