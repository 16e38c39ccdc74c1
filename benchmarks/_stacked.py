"""Plain dense nets trained in stacks: many nets of one shape as one batched product.

Gradients are written by hand, and each layer is stepped as soon as its own is known:
nothing but the layer at hand has to be in the processor's cache. Nets of a stack have
one learning rate and see the same batches. Subnormal numbers are set to zero: nets
whose signal vanishes would train a hundred times slower for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Backward = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Gradient at φ(z), z, φ(z) → gradient at z."""

SELU = (1.6732632423543772, 1.0507009873554805)
"""α and λ."""
ATEN = torch.ops.aten
IS_RESULT = False
"""Some backward functions can be given φ(z) in place of z."""

ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Backward]] = {
    "relu": (functional.relu, lambda g, _, a: ATEN.threshold_backward(g, a, 0)),
    "leaky_relu": (
        functional.leaky_relu,
        lambda g, z, _: ATEN.leaky_relu_backward(g, z, 0.01, IS_RESULT),
    ),
    "tanh": (torch.tanh, lambda g, _, a: ATEN.tanh_backward(g, a)),
    "sigmoid": (torch.sigmoid, lambda g, _, a: ATEN.sigmoid_backward(g, a)),
    "gelu": (functional.gelu, lambda g, z, _: ATEN.gelu_backward(g, z)),
    "silu": (functional.silu, lambda g, z, _: ATEN.silu_backward(g, z)),
    "selu": (
        functional.selu,
        lambda g, z, _: ATEN.elu_backward(g, SELU[0], SELU[1], 1.0, IS_RESULT, z),
    ),
    "sin": (torch.sin, lambda g, z, _: g * torch.cos(z)),
}

Layers = list[tuple[Tensor, Tensor]]
"""Weight (out, in) and bias (out) of each layer of one net, head last."""


@dataclass(frozen=True, kw_only=True)
class Digits:
    """Scikit-learn's digits, standardized as a whole; rows (samples, 64)."""

    x: Tensor
    y: Tensor
    valid_x: Tensor
    valid_y: Tensor
    test_x: Tensor
    test_y: Tensor


def digits(n_train: int = 1000, n_valid: int = 297) -> Digits:
    """Give the digits, always cut in the same way; what is left is for the test."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    x = torch.tensor((images[order] - images.mean()) / images.std()).float()
    y = torch.tensor(labels[order])
    cut = (n_train, n_train + n_valid)
    return Digits(
        x=x[: cut[0]],
        y=y[: cut[0]],
        valid_x=x[cut[0] : cut[1]],
        valid_y=y[cut[0] : cut[1]],
        test_x=x[cut[1] :],
        test_y=y[cut[1] :],
    )


class Stack:
    """Nets of one shape side by side: weights "nets out in", biases "nets out"."""

    def __init__(self, nets: list[Layers], activation: str) -> None:
        self.function, self.backward = ACTIVATIONS[activation]
        depth = len(nets[0])
        self.weights = [torch.stack([net[i][0] for net in nets]) for i in range(depth)]
        self.biases = [torch.stack([net[i][1] for net in nets]) for i in range(depth)]

    def outputs(
        self, x: Tensor, kept: list[tuple[Tensor, ...]] | None = None
    ) -> Tensor:
        """Give logits "nets samples classes"; keep what the way back needs."""
        a = x.expand(len(self.weights[0]), *x.shape)
        last = len(self.weights) - 1
        for i, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = torch.baddbmm(b.unsqueeze(1), a, w.transpose(1, 2))
            if kept is not None:
                kept.append((a, z))
            if i == last:
                return z
            a = self.function(z)
        return a

    def correct(self, x: Tensor, y: Tensor) -> Tensor:
        """Say which samples each net gets right: bool "nets samples"."""
        logits = self.outputs(x)
        is_finite = torch.isfinite(logits).all(dim=2)
        return (logits.argmax(dim=2) == y) & is_finite


class Optimizer:
    """SGD or Adam (0.9, 0.999, 1e-8) with one rate, a layer at a time."""

    def __init__(self, stack: Stack, name: str, rate: float) -> None:
        self.stack, self.is_adam, self.rate = stack, name == "adam", rate
        pairs = (
            list(zip(stack.weights, stack.biases, strict=True)) if self.is_adam else []
        )
        self.first = [[torch.zeros_like(p) for p in pair] for pair in pairs]
        self.second = [[torch.zeros_like(p) for p in pair] for pair in pairs]
        self.steps = [[torch.zeros(()) for _ in pair] for pair in pairs]

    def step(self, i: int, gradient: Tensor, a: Tensor) -> None:
        """Step layer i, of which dL/dz is ``gradient`` and the input ``a``."""
        w, b = self.stack.weights[i], self.stack.biases[i]
        across = gradient.transpose(1, 2)
        if not self.is_adam:
            w.baddbmm_(across, a, alpha=-self.rate)
            b.sub_(gradient.sum(dim=1), alpha=self.rate)
            return
        torch._fused_adam_(
            [w, b],
            [torch.bmm(across, a), gradient.sum(dim=1)],
            self.first[i],
            self.second[i],
            [],
            [s.add_(1) for s in self.steps[i]],
            lr=self.rate,
            beta1=0.9,
            beta2=0.999,
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How a stack is trained. optimizer: "sgd" or "adam"; seed: of the batches."""

    optimizer: str
    rate: float
    steps: int
    batch: int
    seed: int


@torch.no_grad()
def train(stack: Stack, data: Digits, schedule: Schedule) -> None:
    """Train all nets of a stack in place, on the same batches.

    Subnormal numbers, which dead nets are full of and which are slow, count as 0
    meanwhile.
    """
    was_flushed = bool(torch.full((1,), 2.0**-126) / 2 == 0)
    torch.set_flush_denormal(True)
    try:
        _train(stack, data, schedule)
    finally:
        torch.set_flush_denormal(was_flushed)


def _train(stack: Stack, data: Digits, schedule: Schedule) -> None:
    batch = schedule.batch
    draws = torch.Generator().manual_seed(schedule.seed)
    stepper = Optimizer(stack, schedule.optimizer, schedule.rate)
    for _ in range(schedule.steps):
        chosen = torch.randint(0, len(data.x), (batch,), generator=draws)
        kept: list[tuple[Tensor, ...]] = []
        logits = stack.outputs(data.x[chosen], kept)
        gradient = torch.softmax(logits, dim=2)
        gradient[:, torch.arange(batch), data.y[chosen]] -= 1.0
        gradient /= batch
        for i in reversed(range(len(stack.weights))):
            a, _ = kept[i]
            below = torch.bmm(gradient, stack.weights[i]) if i else gradient
            stepper.step(i, gradient, a)
            if i:
                gradient = stack.backward(below, kept[i - 1][1], a)
