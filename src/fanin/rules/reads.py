"""Which parameters a node of the graph reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.graph.unit_spaces import parameter_path

if TYPE_CHECKING:
    from fanin.graph import Graph, Node


def read_by(graph: Graph, node: Node) -> list[str]:
    """Give the paths of the parameters that a node reads.

    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> z = sketch.dense(sketch.input((4, 2)), 3, path="0")
    >>> graph = sketch.graph(z)
    >>> read_by(graph, graph.node(z))
    ['0.bias', '0.weight']
    """
    names = [node.bias, node.scale, node.weight.path if node.weight else None]
    if node.op is Op.PARAMETER:
        names.append(parameter_path(graph, node))
    return [name for name in names if name]
