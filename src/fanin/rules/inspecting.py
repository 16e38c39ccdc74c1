"""Open a model for inspection: read its numbers and run it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from fanin.rules.inspection import Facts, Inspection
from fanin.rules.runs import fillable
from fanin.rules.sampled import is_finite
from fanin.rules.slopes import Slopes
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
    slopes = Slopes(is_whole=facts.get("optimizer") is not None)
    rehearsal = measurement = None
    if all(is_finite(value) for value in values.values()):
        rehearsal = framework.rehearse(model, task)
        trainable = [p.path for p in parameters if p.is_trainable and p.path in values]
        has_closure = facts.get("closure", True)
        if rehearsal is None:
            measurement = framework.measure(model, task, None, slopes)
        elif not has_closure and fillable(rehearsal.graph, trainable, values):
            measurement = rehearsal.forward()  # gradients are taken with them filled
        else:
            measurement = rehearsal.measure(None, slopes)
    return Inspection(
        framework=framework,
        model=model,
        task=task,
        parameters=parameters,
        values=values,
        measurement=measurement,
        rehearsal=rehearsal,
        slopes=slopes,
        **facts,
    )
