"""Open a model for inspection: read its numbers and run it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from fanin.rules.inspection import Facts, Inspection
from fanin.rules.sampled import is_finite
from fanin.rules.values import RealValues

if TYPE_CHECKING:
    from fanin.frameworks.framework import Framework
    from fanin.graph import Task


def inspect(
    framework: Framework, model: object, task: Task, **facts: Unpack[Facts]
) -> Inspection:
    """Read the model and run it once; everything else waits until a rule asks.

    A model with parameters that have no memory, or that hold NaN or infinity, is not
    run: the rules that judge weights alone still speak.

    Args:
        framework: whose model it is.
        model: as it would go into training.
        task: what it is run on.
        **facts: fields of the Inspection that the model alone does not tell.

    Raises:
        ModelError: if the model raises; its own error is the cause.
        BatchError: if the batch does not fit or holds NaN.
    """
    parameters = framework.parameters(model)
    if any(p.storage != "ready" for p in parameters):
        return Inspection(
            framework=framework,
            model=model,
            task=task,
            parameters=parameters,
            values={},
            measurement=None,
            **facts,
        )
    values = RealValues(framework.view(model))
    is_runnable = all(is_finite(value) for value in values.values())
    return Inspection(
        framework=framework,
        model=model,
        task=task,
        parameters=parameters,
        values=values,
        measurement=framework.measure(model, task) if is_runnable else None,
        **facts,
    )
