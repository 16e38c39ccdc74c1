"""What weights see of the activations that they read, written into a graph.

A pair of mirrored units, or an activation with an offset taken off, is to the weight
that reads it another activation of independent units. With that in its place every rule
for independent weights holds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.prescription.prescription import OFFSET
from fanin.theory.mirroring import Centred, Mirrored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph, Node, ScalarFunction
    from fanin.prescription.prescription import Prescription


def as_seen(graph: Graph, functions: Mapping[int, ScalarFunction]) -> Graph:
    """Give the graph with other functions at some of its elementwise nodes, by id."""
    if not functions:
        return graph
    nodes = tuple(
        replace(node, function=functions[node.id]) if node.id in functions else node
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes)


def functions_seen(
    graph: Graph, written: Mapping[str, Prescription]
) -> dict[int, ScalarFunction]:
    """Find what the prescriptions make of each activation, by the activation's id.

    An activation counts as mirrored, or centred, where every linear node that reads it
    does so; a mirrored one only where it is written in pairs too.
    """
    flow = Flow(graph)
    readers: dict[int, list[Node]] = {}
    for node in graph.linears:
        origin = flow.origin(node)
        if origin is not None and origin.op is Op.ELEMENTWISE:
            readers.setdefault(origin.id, []).append(node)
    found: dict[int, ScalarFunction] = {}
    for node_id, nodes in readers.items():
        seen = {_seen(flow, flow.nodes[node_id], node, written) for node in nodes}
        function = flow.nodes[node_id].function
        if len(seen) == 1 and function is not None:
            how = seen.pop()
            if how == MIRRORED:
                found[node_id] = Mirrored(function)
            elif isinstance(how, float):
                found[node_id] = Centred(function, how)
    return found


MIRRORED = "mirrored"


def _seen(
    flow: Flow, node: Node, reader: Node, written: Mapping[str, Prescription]
) -> str | float | None:
    """Say how a reader sees an activation: in pairs, less a number, or as it is."""
    bias = _of(flow.graph, reader.bias, written)
    if bias is not None and bias.law == OFFSET:
        return bias.value
    writer = flow.nodes[node.inputs[0]]
    before, behind = (
        None if n.weight is None else _of(flow.graph, n.weight.path, written)
        for n in (writer, reader)
    )
    if before is None or behind is None or not (writer.weight and reader.weight):
        return None
    is_written = set(writer.weight.roles.outputs) <= set(before.mirrored)
    is_read = set(reader.weight.roles.inputs) <= set(behind.mirrored)
    return MIRRORED if is_written and is_read else None


def _of(
    graph: Graph, path: str | None, written: Mapping[str, Prescription]
) -> Prescription | None:
    return None if path is None else written.get(graph.parameter(path).path)
