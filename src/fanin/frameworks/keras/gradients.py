"""The objective's gradients at given parameter values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.errors import NothingToTrainError
from fanin.frameworks.keras.arrays import to_numpy
from fanin.frameworks.keras.call import check_backend
from fanin.frameworks.keras.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.graph import Task


def gradients(
    model: Any, task: Task, values: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray | None]:
    """Give the objective's gradients at these parameter values, and no more.

    Args:
        model: a built model; it is not changed.
        task: the batch, the loss and the target.
        values: by path; parameters left out have the model's own values.

    Returns:
        For every parameter of real numbers, frozen ones too, an array in its shape;
        None where the objective does not depend on it.

    Raises:
        NoStorageError: if the model is not built.
        NothingToTrainError: if it has no parameters.
        ModelError, BatchError: if the model or the loss raises.
    """
    backend = check_backend()
    run = Run.of(model, task)
    tensors = run.tensors(values)
    if not tensors:
        raise NothingToTrainError.of(0)
    found = _by_jax(run, tensors) if backend == "jax" else _by_torch(run, tensors)
    return {
        path: None if gradient is None else to_numpy(gradient)
        for path, gradient in found.items()
    }


def _by_torch(run: Run, tensors: dict[str, Any]) -> dict[str, Any]:
    import torch

    leaves = {path: t.detach().requires_grad_() for path, t in tensors.items()}
    with torch.enable_grad(), run.at(leaves):
        loss = run.objective()
        if not loss.requires_grad:
            return dict.fromkeys(leaves)
        found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
    return dict(zip(leaves, found, strict=True))


def _by_jax(run: Run, tensors: dict[str, Any]) -> dict[str, Any]:
    import jax
    from jax.extend.core import jaxpr_as_fun

    from fanin.frameworks._jaxpr.reach import reached
    from fanin.frameworks._jaxpr.unfold import program_of

    paths = list(tensors)

    def objective(*given: Any) -> Any:
        held = dict(zip(paths, given, strict=True))
        with run.at(held):
            return run.objective()

    given = tuple(tensors.values())
    closed = jax.make_jaxpr(objective)(*given)
    program = program_of(closed)
    arrived = reached(program)

    def value(given: tuple[Any, ...]) -> Any:
        return jaxpr_as_fun(closed)(*given)[0]

    found = jax.grad(value)(given)
    return {
        path: gradient if value_id in arrived else None
        for path, value_id, gradient in zip(paths, program.inputs, found, strict=True)
    }
