"""Which nodes can give nothing but zeros, because parameters are zero on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.graph import Op

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph.graph import Graph, Node

SAME = frozenset({Op.REDUCE, Op.REARRANGE, Op.NOISE, Op.ADD, Op.CONCAT})
"""What gives zeros if all that it reads is zero."""


def zero_nodes(graph: Graph, is_zero: Callable[[str], bool]) -> frozenset[int]:
    """Give the ids of nodes whose output is zero whatever the batch holds.

    Args:
        graph: as recorded.
        is_zero: says whether the parameter of a path holds zeros alone.

    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> down = sketch.dense(sketch.input((8, 4)), 2, path="down", has_bias=False)
    >>> up = sketch.dense(down, 4, path="up", has_bias=False)
    >>> graph = sketch.graph(up)
    >>> sorted(zero_nodes(graph, lambda path: path == "down.weight")) == [down, up]
    True
    """
    found: set[int] = set()
    for node in graph.nodes:
        inputs = [i in found for i in node.inputs]
        if _gives_zeros(node, inputs, is_zero):
            found.add(node.id)
    return frozenset(found)


def _gives_zeros(
    node: Node, inputs: list[bool], is_zero: Callable[[str], bool]
) -> bool:
    has_no_bias = node.bias is None or is_zero(node.bias)
    is_off = any(is_zero(path) for path in _factors(node))
    if node.op is Op.PARAMETER:
        return is_zero(node.path)
    if node.op is Op.CONSTANT:
        return node.details.get("second_moment") == 0.0
    if node.op in {Op.LINEAR, Op.NORMALIZE}:
        return has_no_bias and (is_off or all(inputs))
    if node.op in {Op.MULTIPLY, Op.CONTRACT}:
        return is_off or any(inputs)
    return bool(inputs) and all(inputs) and (node.op in SAME or _keeps_zero(node))


def _factors(node: Node) -> list[str]:
    """Give the parameters that multiply all of a node's output."""
    weight = None if node.weight is None else node.weight.path
    held = (weight, node.scale, node.details.get("length"))
    return [path for path in held if isinstance(path, str)]


def _keeps_zero(node: Node) -> bool:
    if node.op is not Op.ELEMENTWISE or node.function is None:
        return False
    with np.errstate(all="ignore"):
        return bool(np.all(np.asarray(node.function(np.zeros(1))) == 0.0))
