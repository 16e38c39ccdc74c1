"""Traces a JAX model once and writes down what would run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.frameworks.jax.run import Run, trace

if TYPE_CHECKING:
    from fanin.graph import Graph, Task


def record(model: Any, task: Task) -> Graph:
    """Trace the model once, on shapes alone, and write down what would run.

    A module of Flax NNX runs in ``train()`` mode and one of Equinox with ``inference``
    off, each as a copy. Arrays of the model and of the batch may be
    ``jax.ShapeDtypeStruct``, as ``nnx.eval_shape`` and ``eqx.filter_eval_shape`` give.

    Args:
        model: a module of Flax NNX or Equinox, or a pair (apply, params).
        task: the batch.

    Raises:
        ModelError: if the model raises; its own error is the cause.
        BatchError: if the batch does not fit, or holds NaN.
    """
    return trace(Run.of(model, task), {}, is_measured=False).recorded.graph
