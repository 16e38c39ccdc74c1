"""Runs a JAX model forward and backward once and keeps statistics only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.errors import NothingToTrainError
from fanin.frameworks._jaxpr import measure as measuring
from fanin.frameworks._jaxpr.record import batch_size
from fanin.frameworks.jax.objective import first_output
from fanin.frameworks.jax.run import Run, packed, trace
from fanin.frameworks.views import kept
from fanin.graph import Measurement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks.framework import Keep
    from fanin.graph import Task


def measure(
    model: Any,
    task: Task,
    values: Mapping[str, np.ndarray] | None = None,
    keep: Keep | None = None,
) -> Measurement:
    """Run forward and backward once, at other parameter values if given.

    Args:
        model: as in `record`, with real arrays; it is not changed.
        task: the batch, the loss and the target.
        values: by path; parameters left out have the model's own values.
        keep: what is kept of each gradient; None for all of it.

    Raises:
        NoStorageError: if an array is only a shape.
        NothingToTrainError: if the model has no parameter.
        ModelError, BatchError: if the model or the loss raises.
    """
    run = ready(model, task)
    traced = trace(run, values or {}, is_measured=True)

    def objective(outputs: Sequence[Any]) -> Any:
        return run.loss(packed(traced.structure, outputs))

    with run.errors():
        found = measuring.measure(
            traced.program, traced.arguments, traced.recorded, objective
        )
    output = first_output(packed(traced.structure, found.outputs))
    return Measurement(
        graph=traced.recorded.graph,
        sites=found.sites,
        loss=found.objective if task.has_loss else None,
        outputs=np.asarray(output).astype(np.float64),
        gradients=kept(as_arrays(found.gradients), keep),
        batch_size=batch_size(traced.arguments) or 1,
    )


def ready(model: Any, task: Task) -> Run:
    """Make a run on real numbers, of a model that can be trained.

    Raises:
        NoStorageError: if an array is only a shape.
        NothingToTrainError: if the model has no parameter.
    """
    run = Run.of(model, task)
    run.require_numbers()
    if not run.model.parameters:
        raise NothingToTrainError.of(0)
    return run


def as_arrays(found: Mapping[str, Any]) -> dict[str, np.ndarray | None]:
    """Give the gradients as arrays; None where none arrived."""
    return {
        path: None if gradient is None else np.asarray(gradient)
        for path, gradient in found.items()
    }
