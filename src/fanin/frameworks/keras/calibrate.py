"""Finds the factor of each weight of a Keras model in one forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.errors import UnknownParameterError
from fanin.frameworks.calibration import Goals, named
from fanin.frameworks.keras.backends import backend_of
from fanin.frameworks.keras.call import check_backend
from fanin.frameworks.keras.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.graph import Task
    from fanin.graph.calibration import Aim, Calibration


def calibrate(
    model: Any,
    task: Task,
    values: Mapping[str, np.ndarray],
    aims: Mapping[str, Aim],
) -> Calibration:
    """Find the factor of each weight in one forward pass.

    As a product with a weight appears, it is scaled to what is wanted of it before the
    next node reads it. See ``frameworks.settle`` for weights that are used again.

    Args:
        model: a built model; it is not changed.
        task: the batch.
        values: by path; parameters left out have the model's own values.
        aims: what the output of a weight should be, by the weight's path, or by that
            of the parameter which alone sets the weight's size.

    Raises:
        SignalError: if an output is always 0, though no weight is 0, or not finite.
        NoStorageError: if the model is not built.
        UnknownParameterError: if a path is no parameter's.
        ModelError, BatchError: if the model raises.
    """
    backend = check_backend()
    run = Run.of(model, task)
    known = run.tensors(values)

    def first(path: str) -> str:
        if path not in known:
            raise UnknownParameterError.of(path, known)
        return path

    goals = Goals.of(aims, first)
    found = backend_of(backend).calibrate(run, values, goals)
    return named(found, aims, first)
