"""Train a torch model for a few steps and watch every layer's output, or for longer."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fanin.errors import ArgumentError
from fanin.frameworks.torch.batch import arguments_of
from fanin.frameworks.torch.objective import first_output, scalar_of
from fanin.graph.coordinates import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph import Task

OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
}


def walk(model: Any, task: Task, groups: Any, optimizer: str, n_steps: int) -> Walk:
    """Train on one batch for a few steps, and look at every layer before and after.

    A layer is a module with a weight matrix or a kernel; of one that runs several times
    the last output counts.

    Args:
        model: it is trained.
        task: batch, loss and target.
        groups: parameters with their learning rates, as `groups` gives them.
        optimizer: "adam", "adamw" or "sgd".
        n_steps: how many steps.

    Raises:
        ArgumentError: if there is no such optimizer.
    """
    updates = _optimizer(optimizer, groups)
    arguments = arguments_of(model, task)
    sizes, changes, losses = [], [], []
    start: dict[str, torch.Tensor] = {}
    for step in range(n_steps + 1):
        with _watched(model) as seen:
            output = arguments.run(model)
            loss = scalar_of(task, output)
        seen["output"] = first_output(output).detach()
        start = start or dict(seen)
        sizes.append([float(x.abs().mean()) for x in seen.values()])
        changes.append(
            [
                float((seen[name] - x).square().mean().sqrt())
                for name, x in start.items()
            ]
        )
        losses.append(float(loss.detach()))
        if step < n_steps:
            updates.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            updates.step()
    return Walk(
        layers=tuple(start),
        mean_abs=np.array(sizes),
        change=np.array(changes),
        losses=np.array(losses),
    )


def train(
    model: Any, task: Task, groups: Any, optimizer: str, rows: np.ndarray
) -> np.ndarray:
    """Train on batches of a task's samples, and give the loss of each step.

    Args:
        model: it is trained.
        task: all samples, along the first axis of each input and of the target.
        groups: parameters with their learning rates.
        optimizer: "adam", "adamw" or "sgd".
        rows: samples of each step, int64 "n_steps batch_size".

    Returns:
        Losses before each update, float64 "n_steps"; NaN from where one is not finite.
    """
    updates = _optimizer(optimizer, groups)
    whole = arguments_of(model, task)
    given = task.target
    target = given if isinstance(given, torch.Tensor) else torch.as_tensor(given)
    losses = np.full(len(rows), np.nan)
    for step, chosen in enumerate(torch.from_numpy(rows)):
        part = whole.map(partial(_taken, rows=chosen, n_samples=len(target)))
        loss = scalar_of(replace(task, target=target[chosen]), part.run(model))
        if not bool(torch.isfinite(loss)):
            break
        losses[step] = float(loss.detach())
        updates.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        updates.step()
    return losses


def _taken(leaf: Any, rows: torch.Tensor, n_samples: int) -> Any:
    """Take samples of an input; what has no sample axis is taken whole."""
    is_stacked = isinstance(leaf, torch.Tensor) and leaf.dim() > 0
    return leaf[rows] if is_stacked and len(leaf) == n_samples else leaf


def _optimizer(name: str, groups: Any) -> torch.optim.Optimizer:
    if name not in OPTIMIZERS:
        raise ArgumentError.of(
            argument="optimizer",
            received=name,
            expected=f"one of {', '.join(OPTIMIZERS)}",
        )
    made: torch.optim.Optimizer = OPTIMIZERS[name](groups)
    return made


@contextmanager
def _watched(model: torch.nn.Module) -> Iterator[dict[str, torch.Tensor]]:
    """Gather the output of every layer that runs inside, by the layer's name."""
    seen: dict[str, torch.Tensor] = {}

    def hook(name: str) -> Any:
        def keep(_module: Any, _inputs: Any, output: Any) -> None:
            seen[name] = (
                first_output(output).detach().clone()
            )  # what follows may overwrite it

        return keep

    handles = [
        module.register_forward_hook(hook(name))
        for name, module in model.named_modules()
        if _is_layer(module)
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _is_layer(module: torch.nn.Module) -> bool:
    """Say whether a module has a weight of its own with two axes or more."""
    return any(p.dim() > 1 for p in module.parameters(recurse=False))
