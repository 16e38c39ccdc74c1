"""Plain dense nets: the activations by name, and a module to look at or to check."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from fanin.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FUNCTIONS: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "identity": lambda z: z,
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "selu": torch.selu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "mish": torch.nn.functional.mish,
    "softplus": torch.nn.functional.softplus,
    "softsign": torch.nn.functional.softsign,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "hardtanh": torch.nn.functional.hardtanh,
    "sin": torch.sin,
    "erf": torch.erf,
}
"""Activations that a race can train, by their name in fanin."""


def function(name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """Give the activation of that name, as torch computes it.

    Raises:
        UnknownNameError: if there is none; it names the nearest.

    >>> function("relu")(torch.tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    if name not in FUNCTIONS:
        kind = "activation to train with in torch"
        raise UnknownNameError.of(kind, name, FUNCTIONS)
    return FUNCTIONS[name]


class Activation(torch.nn.Module):
    """One scalar function as a module, so that a net prints what it applies."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.function = function(name)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Apply the function to every entry."""
        return self.function(inputs)

    def extra_repr(self) -> str:
        """Give the function's name."""
        return self.name


def dense_net(sizes: Sequence[int], activation: str) -> torch.nn.Sequential:
    """Build a dense net: linear layers with the activation between, none at the end.

    Args:
        sizes: units of the input, of each hidden layer, of the output: counts.
        activation: a name in ``FUNCTIONS``.

    Returns:
        A module whose weights are those that torch draws by itself.

    >>> [tuple(p.shape) for p in dense_net([2, 3, 1], "tanh").parameters()]
    [(3, 2), (3,), (1, 3), (1,)]
    """
    layers: list[torch.nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out), Activation(activation)]
    return torch.nn.Sequential(*layers[:-1])
