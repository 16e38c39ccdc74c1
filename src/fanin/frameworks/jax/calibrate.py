"""Finds the factor of each weight of a JAX model in one forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.frameworks._jaxpr import calibrate as calibration
from fanin.frameworks.jax.measure import ready
from fanin.frameworks.jax.parameters import place_of
from fanin.frameworks.jax.run import trace

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
        model: as in `record`, with real arrays; it is not changed.
        task: the batch.
        values: by path; parameters left out have the model's own values.
        targets: root mean square wanted of each weight's output, by path.

    Returns:
        The factor by which each weight in ``targets`` is to be multiplied; 1 where
        its output is all zero or not finite, or the weight does not run.

    Raises:
        NoStorageError: if an array is only a shape.
        UnknownParameterError: if a path is no parameter's.
        ModelError, BatchError: if the model raises.
    """
    run = ready(model, task)
    for path in targets:
        place_of(path, run.model.parameters)
    traced = trace(run, values, is_measured=True)
    return calibration.calibrate(
        traced.program, traced.arguments, traced.recorded, targets
    )
