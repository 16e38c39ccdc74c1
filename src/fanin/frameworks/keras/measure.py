"""Runs a Keras model forward and backward once and keeps statistics only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fanin.frameworks.keras.backends import backend_of
from fanin.frameworks.keras.call import check_backend
from fanin.frameworks.keras.record import graph_of
from fanin.frameworks.keras.run import Run
from fanin.frameworks.keras.trainable import trainable_paths
from fanin.frameworks.views import kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.frameworks.framework import Keep
    from fanin.graph import Measurement, Task


def measure(
    model: Any,
    task: Task,
    values: Mapping[str, np.ndarray] | None = None,
    keep: Keep | None = None,
) -> Measurement:
    """Run forward and backward once, at other parameter values if given.

    Args:
        model: a built model; it is not changed.
        task: the batch, the loss and the target.
        values: by path; parameters left out have the model's own values.
        keep: what is kept of each gradient; None for all of it.

    Raises:
        NoStorageError: if the model is not built.
        NothingToTrainError: if it has no trainable parameter.
        ModelError, BatchError: if the model or the loss raises.
    """
    backend = check_backend()
    run = Run.of(model, task).with_head(graph_of)
    trainable_paths(model)
    found = backend_of(backend).measure(run, values or {})
    return replace(found, gradients=kept(found.gradients, keep))
