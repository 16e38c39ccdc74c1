"""What one net of any kind shows before its first step, layer by layer."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fanin.frameworks.torch.net_loss import loss_of
from fanin.frameworks.torch.raced import watched
from fanin.graph.cohort import StartProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.raced import Lesson

MOST_SAMPLES = 512  # of each hidden layer, kept for histograms


def start_profile(model: torch.nn.Module, lesson: Lesson) -> StartProfile:
    """Run the probe forward and backward once, on a copy in training mode."""
    net = copy.deepcopy(model).train()
    values_at, sums_at = watched(net)
    outputs: dict[torch.nn.Module, torch.Tensor] = {}
    copies: dict[torch.nn.Module, torch.Tensor] = {}

    def keep(module: torch.nn.Module, _: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor):
            if output.requires_grad:
                output.retain_grad()
            outputs[module] = output
            copies[module] = output.detach().clone()  # before anything is in place

    for module in {*values_at, *sums_at}:
        module.register_forward_hook(keep)
    inputs = torch.from_numpy(lesson.inputs[lesson.probe])
    targets = torch.from_numpy(lesson.targets[lesson.probe])
    with torch.enable_grad():
        torch.autograd.backward(loss_of(net(inputs), targets))
    values = [inputs, *(copies[m] for m in values_at if m in copies)]
    sums = [module for module in sums_at if module in outputs]
    return StartProfile(
        rms=_roots([value.double().square() for value in values]),
        between=_roots([value.double().var(0, correction=0) for value in values]),
        gradient_rms=_roots([_gradient(outputs[m], len(targets)) for m in sums]),
        weight_gradient_rms=_roots([_weight_gradient(module) for module in sums]),
        samples=tuple(_thinned(value) for value in values[1:-1]),
    )


def _gradient(output: torch.Tensor, n_samples: int) -> torch.Tensor:
    """Squares of dL/dz, from the mean loss of the probe to the loss of one sample."""
    if output.grad is None:
        return torch.zeros(1, dtype=torch.float64)
    return (output.grad.double() * n_samples).square()


def _weight_gradient(module: torch.nn.Module) -> torch.Tensor:
    found = [p.grad for p in module.parameters(recurse=False) if p.ndim > 1]
    kept = [grad.double().flatten() for grad in found if grad is not None]
    return torch.cat(kept).square() if kept else torch.zeros(1, dtype=torch.float64)


def _roots(squares: Sequence[torch.Tensor]) -> np.ndarray:
    return np.array([float(square.mean().sqrt()) for square in squares])


def _thinned(values: torch.Tensor) -> np.ndarray:
    """At most 512 entries, evenly spaced."""
    flat = values.flatten()
    step = max(1, -(-len(flat) // MOST_SAMPLES))
    step += 1 - step % 2  # odd, so that not every entry is of the same few units
    return flat[::step].float().numpy().copy()
