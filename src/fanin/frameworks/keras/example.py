"""What a Keras model reads, from the inputs it was built with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from fanin.graph.signature import InputSignature, SeveralInputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph.signature import Signature

BATCH = 32
LENGTH = 16


def input_signatures(model: Any) -> Iterator[Signature]:
    """Yield the signature of a model whose inputs are known; else nothing.

    A free axis (None) is a batch of 32, and 16 for every other one. Several inputs are
    given in the order in which the model was declared with them.

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> next(input_signatures(model)).shape
    (32, 4)
    """
    if not _has_inputs(model) or not isinstance(model.inputs, list | tuple):
        return
    found = tuple(_signature(model, tensor) for tensor in model.inputs)
    yield found[0] if len(found) == 1 else SeveralInputs(positional=found)


def _signature(model: Any, tensor: Any) -> InputSignature:
    free = (BATCH, *(LENGTH,) * (len(tensor.shape) - 1))
    lengths = tuple(
        default if n is None else int(n)
        for n, default in zip(tensor.shape, free, strict=True)
    )
    return InputSignature(shape=lengths, below=_below(model, tensor))


def _below(model: Any, tensor: Any) -> int:
    """Give the rows of the table that reads an input; 0 for real numbers.

    Whole numbers that no table reads directly are 0 or 1: masks and types.
    """
    readers = [layer for layer in model.layers if _reads(layer, tensor)]
    rows = next((n for n in map(_vocabulary, readers) if n), 0)
    return rows or (2 if "int" in str(tensor.dtype) else 0)


def _reads(layer: Any, tensor: Any) -> bool:
    """Say whether a layer is called on this input itself."""
    nodes = getattr(layer, "_inbound_nodes", [])
    return any(
        reader is tensor for node in nodes for reader in node.arguments.keras_tensors
    )


def _has_inputs(model: Any) -> bool:
    """Functional and Sequential models know their inputs once they are built."""
    try:
        return bool(model.inputs)
    except (AttributeError, ValueError):
        return False


def _vocabulary(layer: Any) -> int:
    if isinstance(layer, keras.layers.Embedding):
        return int(layer.input_dim)
    return 0
