"""Finds the factor of each weight of a Keras model in one forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.errors import UnknownParameterError
from fanin.frameworks.keras.backends import backend_of
from fanin.frameworks.keras.call import check_backend
from fanin.frameworks.keras.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.graph import Task


def calibrate(
    model: Any,
    task: Task,
    values: Mapping[str, np.ndarray],
    targets: Mapping[str, float],
) -> dict[str, float]:
    """Find the factor of each weight in one forward pass.

    When a linear node whose weight is in ``targets`` runs for the first time, its
    output (without the bias) is scaled so that its root mean square is the target,
    before the next node reads it.

    Args:
        model: a built model; it is not changed.
        task: the batch.
        values: by path; parameters left out have the model's own values.
        targets: root mean square wanted of each weight's output, by path.

    Returns:
        The factor by which each weight in ``targets`` is to be multiplied; 1 where
        its output is all zero or not finite, or the weight does not run.

    Raises:
        NoStorageError: if the model is not built.
        UnknownParameterError: if a path is no parameter's.
        ModelError, BatchError: if the model raises.
    """
    backend = check_backend()
    run = Run.of(model, task)
    known = run.tensors(values)
    for path in targets:
        if path not in known:
            raise UnknownParameterError.of(path, known)
    return backend_of(backend).calibrate(run, values, targets)
