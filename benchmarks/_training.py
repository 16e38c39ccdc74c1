"""Nets of one shape, trained side by side on digits that a linear model cannot tell.

Not a benchmark: what they train with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn import functional

from benchmarks.models.norm_free import SIDE
from fanin.race import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    Tensors = dict[str, torch.Tensor]

BATCH = 32
CEILING = float(2 * np.log(10))
"""A loss above twice the ignorant predictor's, or none at all, counts as this."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """Images "n 1 side side" and their classes, to train on and to test on."""

    x: torch.Tensor
    y: torch.Tensor
    test_x: torch.Tensor
    test_y: torch.Tensor


def digits() -> Data:
    """Give the digits, each with a random sign; mean 0 and variance 1 over all."""
    found = load("digits")
    coin = torch.Generator().manual_seed(0)

    def tossed(images: np.ndarray) -> torch.Tensor:
        x = torch.tensor(images).view(-1, 1, SIDE, SIDE)
        return x * (2 * torch.randint(2, (len(x), 1, 1, 1), generator=coin) - 1)

    return Data(
        x=tossed(found.inputs),
        y=torch.tensor(found.targets),
        test_x=tossed(found.test_inputs),
        test_y=torch.tensor(found.test_targets),
    )


@dataclass(frozen=True, kw_only=True)
class Run:
    """loss: mean over all steps of the training loss; accuracy: on the test images."""

    loss: float
    accuracy: float


def sgd(rates: torch.Tensor) -> Callable[[int, Tensors, Tensors], None]:
    """Give a step of gradient descent with momentum 0.9, a rate for each net."""
    speeds: Tensors = {}

    def step(_: int, params: Tensors, grads: Tensors) -> None:
        for name, value in params.items():
            speed = speeds.setdefault(name, torch.zeros_like(value))
            speed.mul_(0.9).add_(grads[name])
            value.sub_(spread(rates, value) * speed)

    return step


def adam(rates: torch.Tensor) -> Callable[[int, Tensors, Tensors], None]:
    """Give a step of Adam (0.9, 0.999), a rate for each net."""
    means: Tensors = {}
    squares: Tensors = {}

    def step(n: int, params: Tensors, grads: Tensors) -> None:
        for name, value in params.items():
            g = grads[name]
            mean = means.setdefault(name, torch.zeros_like(value))
            square = squares.setdefault(name, torch.zeros_like(value))
            mean.mul_(0.9).add_(g, alpha=0.1)
            square.mul_(0.999).addcmul_(g, g, value=0.001)
            size = (square / (1 - 0.999**n)).sqrt_().add_(1e-8)
            value.sub_(spread(rates / (1 - 0.9**n), value) * mean / size)

    return step


OPTIMIZERS = {"sgd": sgd, "adam": adam}


def spread(rates: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Give the rates the shape in which each meets its own net's numbers."""
    return rates.view(-1, *[1] * (like.dim() - 1))


def train(
    nets: Sequence[nn.Module],
    rates: Sequence[float],
    batches: torch.Tensor,
    data: Data,
    optimizer: str,
) -> list[Run]:
    """Train nets of one shape side by side.

    Args:
        nets: one for each run.
        rates: one for each.
        batches: rows of the training set, "steps nets batch".
        data: what they learn.
        optimizer: "sgd" or "adam".
    """
    params, _ = stack_module_state(list(nets))
    params = {name: value.detach().clone() for name, value in params.items()}
    base = nets[0]

    def loss_of(values: Tensors, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(functional_call(base, values, (x,)), y)

    work = vmap(grad_and_value(loss_of))
    step = OPTIMIZERS[optimizer](torch.tensor(rates))
    total = np.zeros(len(nets))
    for n, rows in enumerate(batches, start=1):
        grads, losses = work(params, data.x[rows], data.y[rows])
        step(n, params, grads)
        found = losses.double().numpy()
        total += np.minimum(np.where(np.isfinite(found), found, CEILING), CEILING)
    with torch.no_grad():
        logits = vmap(lambda values: functional_call(base, values, (data.test_x,)))(
            params
        )
    right = (logits.argmax(-1) == data.test_y).double().mean(1)
    return [
        Run(loss=float(a), accuracy=float(b))
        for a, b in zip(total / len(batches), right, strict=True)
    ]
