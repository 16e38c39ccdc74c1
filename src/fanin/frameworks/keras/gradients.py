"""The objective's gradients at given parameter values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.frameworks.keras.call import check_backend
from fanin.frameworks.keras.record import graph_of
from fanin.frameworks.keras.run import Run
from fanin.frameworks.keras.trainable import (
    gradients_of,
    only_trainable,
    trainable_paths,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.graph import Task


def gradients(
    model: Any, task: Task, values: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray | None]:
    """Give the objective's gradients at these parameter values, and no more.

    Args:
        model: a built model; it is not changed.
        task: the batch, the loss and the target.
        values: by path; parameters left out have the model's own values.

    Returns:
        By path, an array in the parameter's shape; None for a frozen parameter and
        for one that the objective does not depend on.

    Raises:
        NoStorageError: if the model is not built.
        NothingToTrainError: if it has no trainable parameter.
        ModelError, BatchError: if the model or the loss raises.
    """
    backend = check_backend()
    run = Run.of(model, task).with_head(graph_of)
    trainable = trainable_paths(model)
    tensors = run.tensors(values)
    found = _by_jax(run, tensors) if backend == "jax" else _by_torch(run, tensors)
    return only_trainable(found, trainable)


def _by_torch(run: Run, tensors: dict[str, Any]) -> dict[str, Any]:
    import torch

    leaves = {path: t.detach().requires_grad_() for path, t in tensors.items()}
    with torch.enable_grad(), run.at(leaves):
        return gradients_of(run.objective(), leaves)


def _by_jax(run: Run, tensors: dict[str, Any]) -> dict[str, Any]:
    import jax

    from fanin.frameworks._jaxpr.compiled import Objective

    def objective(*given: Any) -> Any:
        with run.at(dict(zip(tensors, given, strict=True))):
            return run.objective()

    values = list(tensors.values())
    found = Objective.of(jax.make_jaxpr(objective)(*values)).gradients(values)
    return dict(zip(tensors, found, strict=True))
