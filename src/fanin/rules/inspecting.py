"""Open a model for inspection: read its numbers and run it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np

from fanin.rules.inspection import Facts, Inspection

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    values = _real(framework.read(model))
    is_finite = all(bool(np.all(np.isfinite(v))) for v in values.values())
    return Inspection(
        framework=framework,
        model=model,
        task=task,
        parameters=parameters,
        values=values,
        measurement=framework.measure(model, task) if is_finite else None,
        **facts,
    )


def _real(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Keep arrays of real numbers, in a type that NumPy computes with.

    Formats that NumPy has no type of its own for (bfloat16) become float32; complex
    and integer parameters are left as they are in the model, and not judged.
    """
    kept = {}
    for path, value in values.items():
        if value.dtype.kind == "f":
            kept[path] = value
        elif value.dtype.kind == "V":
            kept[path] = value.astype(np.float32)
    return kept
