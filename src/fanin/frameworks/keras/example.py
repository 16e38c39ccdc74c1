"""What a Keras model reads, from the inputs it was built with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from fanin.graph.signature import InputSignature

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH = 32
LENGTH = 16


def input_signatures(model: Any) -> Iterator[InputSignature]:
    """Yield the signature of a model with one input of known shape; else nothing.

    A free axis (None) is a batch of 32, and 16 for every other one.

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> next(input_signatures(model)).shape
    (32, 4)
    """
    shape = getattr(model, "input_shape", None) if _has_inputs(model) else None
    if not isinstance(shape, tuple) or not shape:
        return
    if not all(length is None or isinstance(length, int) for length in shape):
        return
    free = (BATCH, *(LENGTH,) * (len(shape) - 1))
    lengths = tuple(n or default for n, default in zip(shape, free, strict=True))
    below = next((b for b in map(_vocabulary, _first_layers(model)) if b), 0)
    yield InputSignature(shape=lengths, below=below)


def _has_inputs(model: Any) -> bool:
    """Functional and Sequential models know their inputs once they are built."""
    try:
        return bool(model.inputs)
    except (AttributeError, ValueError):
        return False


def _first_layers(model: Any) -> list[Any]:
    layers = [
        layer
        for layer in getattr(model, "layers", [])
        if not isinstance(layer, keras.layers.InputLayer)
    ]
    return layers[:1]


def _vocabulary(layer: Any) -> int:
    if isinstance(layer, keras.layers.Embedding):
        return int(layer.input_dim)
    return 0
