"""The objective's gradients at given parameter values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.frameworks.keras.backends import backend_of
from fanin.frameworks.keras.call import check_backend
from fanin.frameworks.keras.record import graph_of
from fanin.frameworks.keras.run import Run
from fanin.frameworks.keras.trainable import only_trainable, trainable_paths
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
        model: a built model; it is not changed.
        task: the batch, the loss and the target.
        values: by path; parameters left out have the model's own values.
        keep: what is kept of each gradient; None for all of it.

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
    found = backend_of(backend).gradients(run, tensors)
    return kept(only_trainable(found, trainable), keep)
