"""Operations that hold graphs: which, and how to run one that cannot be laid open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import tensorflow as tf

from fanin.frameworks._tfgraph.operation import runner as operation_runner
from fanin.frameworks._tfgraph.trace import constant_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CALLS: Final = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
LOOPS: Final = frozenset({"While", "StatelessWhile"})
CHOICES: Final = frozenset({"If", "StatelessIf"})


def inner_graph(operation: Any, name: str) -> Any:
    """Give the graph that an operation holds under an attribute ("body").

    There is no public way from a graph to the functions in it (TensorFlow 2.20).
    """
    function = operation.get_attr(name).name
    return operation.graph._get_function(function).graph  # noqa: SLF001


def runner(operation: Any) -> Callable[..., Sequence[Any]]:
    """Give a function that runs a call, a loop or a choice, operation by operation."""
    if operation.type in CALLS:
        inner = inner_graph(operation, "f")
        return lambda *tensors: run_graph(inner, tensors)
    if operation.type in LOOPS:
        return _loop_runner(operation)
    first = inner_graph(operation, "then_branch")
    second = inner_graph(operation, "else_branch")

    def choose(which: Any, *tensors: Any) -> Sequence[Any]:
        return run_graph(first if bool(tf.cast(which, tf.bool)) else second, tensors)

    return choose


def _loop_runner(operation: Any) -> Callable[..., Sequence[Any]]:
    cond, body = inner_graph(operation, "cond"), inner_graph(operation, "body")

    def repeat(*tensors: Any) -> Sequence[Any]:
        held: Sequence[Any] = tensors
        while bool(run_graph(cond, held)[0]):
            held = run_graph(body, held)
        return held

    return repeat


def run_graph(graph: Any, arguments: Sequence[Any]) -> list[Any]:
    """Run a whole graph on eager tensors, one for each of its inputs.

    >>> graph = (
    ...     tf.function(lambda x: x + 1.0)
    ...     .get_concrete_function(tf.TensorSpec((), tf.float32))
    ...     .graph
    ... )
    >>> [float(tensor) for tensor in run_graph(graph, [tf.constant(2.0)])]
    [3.0]
    """
    known = {
        tensor.name: value
        for tensor, value in zip(graph.inputs, arguments, strict=True)
    }
    for operation in graph.get_operations():
        names = [tensor.name for tensor in operation.outputs]
        if names and all(name in known for name in names):
            continue
        given = [known[tensor.name] for tensor in operation.inputs]
        known |= dict(zip(names, run(operation, given), strict=True))
    return [known[tensor.name] for tensor in graph.outputs]


def run(operation: Any, given: Sequence[Any]) -> Sequence[Any]:
    """Run one operation on eager tensors, whether or not it holds graphs."""
    if operation.type == "Const":
        return [tf.constant(constant_of(operation))]
    holds_graphs = operation.type in CALLS | LOOPS | CHOICES
    return (runner if holds_graphs else operation_runner)(operation)(*given)
