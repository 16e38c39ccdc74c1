"""Runs a Keras model once and writes down what ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.frameworks.keras.backends import backend_of
from fanin.frameworks.keras.call import check_backend
from fanin.frameworks.keras.run import Run

if TYPE_CHECKING:
    from fanin.graph import Graph, Task


def record(model: Any, task: Task) -> Graph:
    """Run the model once, on shapes alone, and write down what ran.

    ``training=True`` is passed where the model's ``call`` takes it, so that dropout
    and the batch's own statistics are seen, as in ``fit``. Moving means, generators,
    optimizer and random state are as before.

    Args:
        model: a built model or layer, on any of Keras's backends but NumPy.
        task: the batch.

    Raises:
        NoStorageError: if the model is not built.
        ModelError: if the model raises; its own error is the cause.
        BatchError: if the batch does not fit, or holds NaN.
    """
    return graph_of(Run.of(model, task))


def graph_of(run: Run) -> Graph:
    """Record a run that is ready."""
    return backend_of(check_backend()).record(run)
