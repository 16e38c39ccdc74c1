"""Finds the factor of each weight of a Keras model in one forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.errors import UnknownParameterError
from fanin.frameworks.calibration import Goals
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
    followers: Mapping[str, str] | None = None,
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
        followers: by weight, the bias that is a multiple of it: it counts as part of
            the output, and is multiplied with it.

    Returns:
        The factor by which each parameter in ``targets`` is to be multiplied; 1 where
        no product reads it, or where its size does not matter.

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

    goals = Goals.of(targets, followers, first)
    factors = backend_of(backend).calibrate(run, values, goals)
    return {path: factors.get(path, 1.0) for path in targets}
