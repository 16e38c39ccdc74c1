"""Gradients of the objective at given parameter values."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fanin.frameworks._aten.guard import Guarded
from fanin.frameworks.torch.batch import arguments_of
from fanin.frameworks.torch.loan import borrowed, lending
from fanin.frameworks.torch.objective import scalar_of
from fanin.frameworks.torch.run import gradients_of, require_trainable, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.frameworks._aten.guard import Guard
    from fanin.frameworks.framework import Keep
    from fanin.frameworks.torch.batch import Arguments
    from fanin.frameworks.torch.loan import Substitutes
    from fanin.graph import Task


def gradients(
    model: Any,
    task: Task,
    values: Mapping[str, np.ndarray],
    keep: Keep | None = None,
) -> dict[str, np.ndarray | None]:
    """Give the objective's gradient for every parameter, at these values.

    Args:
        model: a module; it is left as it is.
        task: the batch and the objective.
        values: by path; a parameter that is not named keeps its own value, of which
            no copy is made.
        keep: what is kept of each gradient, as it arrives and before the next one is
            held; None for all of it.

    Returns:
        By path, an array in the parameter's shape (or what ``keep`` gave); None for a
        frozen parameter and for one that the objective does not depend on.

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
    require_trainable(model)
    arguments = arguments_of(model, task)
    work = partial(_found, model, task, arguments, keep)
    return lending(model, values, work)


def _found(
    model: Any,
    task: Task,
    arguments: Arguments,
    keep: Keep | None,
    substitutes: Substitutes,
    guard: Guard,
) -> dict[str, np.ndarray | None]:
    with borrowed(model, substitutes, task.seed, guard), told(model, arguments):
        given = arguments.copied()
        guard.own(given.tensors)
        with Guarded(guard):
            scalar = scalar_of(task, given.run(model))
        return gradients_of(scalar, substitutes, keep)
