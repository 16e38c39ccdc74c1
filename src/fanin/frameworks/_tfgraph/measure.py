"""Statistics of every node of a TensorFlow program, from one run and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from fanin.frameworks._tfgraph.interpret import interpret
from fanin.frameworks.program import Measured
from fanin.graph.statistics import statistics_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.frameworks._tfgraph.record import Argument
    from fanin.frameworks._tfgraph.steps import Program
    from fanin.frameworks.program import Recorded
    from fanin.graph import Node, SiteStatistics


def measure(
    program: Program,
    arguments: Sequence[Argument],
    recorded: Recorded,
    objective: Callable[[Sequence[Any]], Any],
) -> Measured:
    """Run a recorded program on its arguments, forward and backward, once.

    Values and gradients of all nodes are held until the run ends: about twice what a
    training step holds. Statistics are all that is kept.

    Args:
        program: the steps.
        arguments: what goes in; gradients are taken for those with a path.
        recorded: the graph of this program, and where its nodes' outputs are.
        objective: takes the program's outputs, gives a scalar.
    """
    watched = frozenset(recorded.sites.values())
    values: dict[int, Any] = {}
    inputs = [tf.identity(argument.value) for argument in arguments]

    def keep(value: int, tensor: Any) -> Any:
        if value in watched:
            values[value] = tensor
        return tensor

    with tf.GradientTape() as tape:
        for tensor, argument in zip(inputs, arguments, strict=True):
            if argument.path:
                tape.watch(tensor)
        outputs = interpret(program, inputs, keep)
        loss = objective(outputs)
    places = [place for place, argument in enumerate(arguments) if argument.path]
    real = [value for value, tensor in values.items() if tensor.dtype.is_floating]
    sources = [*(inputs[place] for place in places), *(values[v] for v in real)]
    found = [_dense(gradient) for gradient in tape.gradient(loss, sources)]
    gradients = dict(zip(real, found[len(places) :], strict=True))
    return Measured(
        sites={
            node.id: _statistics(node, values[value], gradients.get(value))
            for node in recorded.graph.nodes
            if (value := recorded.sites.get(node.id)) in values
        },
        gradients={
            arguments[place].path: gradient
            for place, gradient in zip(places, found[: len(places)], strict=True)
        },
        objective=float(loss),
        outputs=outputs,
    )


def _dense(gradient: Any | None) -> Any | None:
    """Give a gradient that names the rows it has, as a lookup's, in full."""
    return None if gradient is None else tf.convert_to_tensor(gradient)


def _statistics(node: Node, value: Any, gradient: Any | None) -> SiteStatistics:
    return statistics_of(
        np.asarray(value.numpy(), dtype=_wide(value)),
        unit_axis=node.unit_axis,
        batch_axis=node.batch_axis,
        gradient=None if gradient is None else gradient.numpy().astype(np.float64),
        dtype=str(value.dtype.name),
    )


def _wide(value: Any) -> Any:
    return np.float64 if value.dtype.is_floating else None
