"""Gradients of the objective at given parameter values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.frameworks.torch.batch import arguments_of
from fanin.frameworks.torch.loan import borrowed, copies
from fanin.frameworks.torch.objective import scalar_of
from fanin.frameworks.torch.parameters import as_array
from fanin.frameworks.torch.run import gradients_of, require_trainable, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.graph import Task


def gradients(
    model: Any, task: Task, values: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray | None]:
    """Give the objective's gradient for every parameter, at these values.

    Args:
        model: a module; it is left as it is.
        task: the batch and the objective.
        values: by path; a parameter that is not named keeps its own value.

    Returns:
        By path, an array in the parameter's shape; None for a frozen parameter and
        for one that the objective does not depend on.

    Raises:
        NoStorageError, NothingToTrainError, BatchError, ModelError.

    >>> import numpy as np
    >>> from fanin.graph import Task
    >>> import torch
    >>> net = torch.nn.Linear(2, 1, bias=False)
    >>> task = Task(batch=np.array([[1.0, 2.0]]), loss="mse", target=np.array([[0.0]]))
    >>> gradients(net, task, {"weight": np.array([[1.0, 1.0]])})["weight"]
    array([[ 6., 12.]], dtype=float32)
    """
    substitutes = copies(model, values)
    require_trainable(model)
    arguments = arguments_of(model, task)
    with borrowed(model, substitutes, task.seed), told(model, arguments):
        scalar = scalar_of(task, arguments.copied().run(model))
        found = gradients_of(scalar, substitutes)
    return {
        path: None if gradient is None else as_array(path, gradient)
        for path, gradient in found.items()
    }
