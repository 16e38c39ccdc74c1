"""Traces a function into a TensorFlow graph, and notes where each operation ran."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tensorflow.python.framework import op_callbacks

from fanin.graph.draft import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Traced:
    """A graph, the placeholders for the arguments in order, and its outputs.

    captures: eager tensors that the function closed over, by the graph's name for
    each. places: of operations, by the id of their graph and their name.
    """

    graph: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    captures: Mapping[str, Any]
    places: Mapping[tuple[int, str], Place]

    def with_arrays_as_inputs(self) -> tuple[Traced, list[Any]]:
        """Turn the arrays that the caller's own function brings along into inputs.

        They are eager tensors that it closes over, and NumPy's arrays, which stand in
        the graph outside of every layer. Single numbers and shapes stay constants.

        Returns:
            The graph with further inputs behind its own, and the arrays for them.
        """
        captured = {
            name: tensor
            for name, tensor in self.captures.items()
            if tensor.dtype != tf.resource and tensor.shape.num_elements() > 1
        }
        brought = captured | {
            operation.outputs[0].name: tf.constant(constant_of(operation))
            for operation in self.graph.get_operations()
            if operation.type == "Const" and self._is_an_array(operation)
        }
        held = [self.graph.as_graph_element(name) for name in brought]
        captures = {n: t for n, t in self.captures.items() if n not in brought}
        traced = replace(self, inputs=(*self.inputs, *held), captures=captures)
        return traced, list(brought.values())

    def _is_an_array(self, operation: Any) -> bool:
        """Say whether a constant is no number and no shape, and of no layer."""
        place = self.places.get((id(self.graph), operation.name), Place())
        array = operation.outputs[0]
        is_data = array.dtype.is_floating or array.shape.rank > 1
        return not place.path and is_data and array.shape.num_elements() > 1


def constant_of(operation: Any) -> Any:
    """Give the numbers of a ``Const`` operation as a NumPy array."""
    return tf.make_ndarray(operation.get_attr("value"))


def trace(
    function: Callable[..., Sequence[Any]],
    arguments: Sequence[Any],
    place: Callable[[], Place],
) -> Traced:
    """Run a function on symbolic tensors in the place of these; nothing is computed.

    Args:
        function: takes the arguments, gives a list of tensors.
        arguments: eager tensors, whose shapes and dtypes are taken.
        place: says where the model is at the moment; asked at every operation.
    """
    graph = tf.__internal__.FuncGraph("fanin")
    places: dict[tuple[int, str], Place] = {}
    with graph.as_default():
        inputs = tuple(tf.compat.v1.placeholder(a.dtype, a.shape) for a in arguments)
        with _noted(places, place):
            outputs = tuple(tf.convert_to_tensor(t) for t in function(*inputs))
    return Traced(
        graph=graph,
        inputs=inputs,
        outputs=outputs,
        captures={inner.name: outer for outer, inner in graph.captures},
        places=places,
    )


@contextmanager
def _noted(
    places: dict[tuple[int, str], Place], place: Callable[[], Place]
) -> Iterator[None]:
    """Note the place of every operation as it is made, in inner graphs too.

    TensorFlow numbers name scopes anew in each graph, so that an operation's name
    does not say which layer it is of; there is no public hook (TensorFlow 2.20).
    """

    def note(*_: Any, op_name: Any = None, graph: Any = None) -> None:
        if graph is not None:
            name = op_name.decode() if isinstance(op_name, bytes) else str(op_name)
            places[(id(graph), name)] = place()

    op_callbacks.add_op_callback(note)
    try:
        yield
    finally:
        op_callbacks.remove_op_callback(note)
