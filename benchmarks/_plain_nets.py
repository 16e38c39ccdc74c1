"""Plain dense nets of any depth, and the ways in which they are initialized.

Not a benchmark: what ``benchmarks/plain.py`` trains.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import torch
from torch import nn

import fanin
from benchmarks._initializers import anyinit, lsuv

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks._stacked import Digits, Layers


class Sine(nn.Module):
    """sin(x)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give sin(x)."""
        return torch.sin(x)


MODULES: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "selu": nn.SELU,
    "sin": Sine,
}
GAINS = {"relu": sqrt(2), "leaky_relu": sqrt(2 / 1.0001), "tanh": 5 / 3, "selu": 0.75}
"""``torch.nn.init.calculate_gain``; it has no gain for the others, so 1."""
PROBE = 128
"""So many images are shown to initializers that look at data."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A net: hidden layers, units in each, and the activation behind each."""

    depth: int
    width: int
    activation: str


def mlp(shape: Shape) -> nn.Sequential:
    """Build the hidden layers and a head, in PyTorch's own initialization."""
    layers: list[nn.Module] = []
    n_in = 64
    for _ in range(shape.depth):
        layers += [nn.Linear(n_in, shape.width), MODULES[shape.activation]()]
        n_in = shape.width
    return nn.Sequential(*layers, nn.Linear(n_in, 10))


def written(model: nn.Sequential, fill: Callable[[torch.Tensor, str], object]) -> None:
    """Fill every weight, the head as a linear layer, and set biases to 0."""
    linears = [layer for layer in model if isinstance(layer, nn.Linear)]
    for layer in linears:
        fill(layer.weight, "linear" if layer is linears[-1] else "hidden")
        nn.init.zeros_(layer.bias)


def initialized(name: str, shape: Shape, data: Digits, seed: int) -> Layers:
    """Give the layers of a new net, initialized in that way."""
    torch.manual_seed(seed)
    model = mlp(shape)
    x, y = data.x[:PROBE], data.y[:PROBE]
    gain = GAINS.get(shape.activation, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name == "Glorot":
            written(model, lambda w, _: nn.init.xavier_normal_(w))
        elif name == "He":
            written(model, lambda w, _: nn.init.kaiming_normal_(w, nonlinearity="relu"))
        elif name == "orthogonal":
            written(
                model,
                lambda w, kind: nn.init.orthogonal_(w, gain if kind == "hidden" else 1),
            )
        elif name == "LSUV":
            lsuv(model, x)
        elif name == "AnyInit":
            anyinit(model, x)
        elif name == OURS:
            fanin.init(model, x, "cross_entropy", y, seed=seed)
    return [
        (layer.weight.detach().clone(), layer.bias.detach().clone())
        for layer in model
        if isinstance(layer, nn.Linear)
    ]


OURS = "fanin"
NAMES = ("default", "Glorot", "He", "orthogonal", "LSUV", "AnyInit", OURS)
