"""Plain dense nets in Keras: the activations by name, and a model of them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import keras

from fanin.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def _leaky_relu(values: Any) -> Any:
    """Slope 0.01, as elsewhere in fanin; Keras's own default is 0.2."""
    return keras.ops.leaky_relu(values, negative_slope=0.01)


def _gelu(values: Any) -> Any:
    """The exact one; the default of ``keras.ops.gelu`` is the tanh approximation."""
    return keras.ops.gelu(values, approximate=False)


FUNCTIONS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "identity": lambda values: values,
        "relu": keras.ops.relu,
        "leaky_relu": _leaky_relu,
        "elu": keras.ops.elu,
        "selu": keras.ops.selu,
        "gelu": _gelu,
        "silu": keras.ops.silu,
        "softplus": keras.ops.softplus,
        "softsign": keras.ops.softsign,
        "sigmoid": keras.ops.sigmoid,
        "tanh": keras.ops.tanh,
        "hardtanh": keras.ops.hard_tanh,
        "sin": keras.ops.sin,
        "erf": keras.ops.erf,
    }
)
"""Activations that a race can train, by their name in fanin."""


def function(name: str) -> Callable[[Any], Any]:
    """Give the activation of that name, as Keras computes it.

    Raises:
        UnknownNameError: if there is none; it names the nearest.
    """
    if name not in FUNCTIONS:
        kind = "activation to train with in Keras"
        raise UnknownNameError.of(kind, name, FUNCTIONS)
    return FUNCTIONS[name]


def dense_net(sizes: Sequence[int], activation: str) -> Any:
    """Build a dense net: Dense layers with the activation between, none at the end.

    Args:
        sizes: units of the input, of each hidden layer, of the output: counts.
        activation: a name in ``FUNCTIONS``.

    Returns:
        A Sequential model whose weights are those that Keras draws by itself.
    """
    applied = function(activation)
    layers = [keras.layers.Dense(n, activation=applied) for n in sizes[1:-1]]
    output = keras.layers.Dense(sizes[-1])
    return keras.Sequential([keras.Input((sizes[0],)), *layers, output])
