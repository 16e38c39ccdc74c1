"""Finds the factor of each weight of a JAX model in one forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.frameworks._jaxpr import calibrate as calibration
from fanin.frameworks.calibration import Goals, named
from fanin.frameworks.jax.measure import ready
from fanin.frameworks.jax.parameters import place_of
from fanin.frameworks.jax.run import trace

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
        model: as in `record`, with real arrays; it is not changed.
        task: the batch.
        values: by path; parameters left out have the model's own values.
        aims: what the output of a weight should be, by the weight's path, or by that
            of the parameter which alone sets the weight's size.

    Raises:
        SignalError: if an output is always 0, though no weight is 0, or not finite.
        NoStorageError: if an array is only a shape.
        UnknownParameterError: if a path is no parameter's.
        ModelError, BatchError: if the model raises.
    """
    run = ready(model, task)

    def first(path: str) -> str:
        return place_of(path, run.model.parameters)

    goals = Goals.of(aims, first)
    traced = trace(run, values, is_measured=True)
    with run.errors():
        found = calibration.calibrate(
            traced.program, traced.arguments, traced.recorded, goals, values
        )
    return named(found, aims, first)
