"""Recurrent weights: applied to what they gave one step before, with something new.

A weight shared by layers in a row is applied to its own results too; what tells a
recurrence apart is that each step takes in a value that no earlier step has read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.graph.roles.walks import MOVING, is_slice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node

_MERGING = frozenset({Op.ADD, Op.MULTIPLY, Op.CONCAT})


def recurrent_uses(flow: Flow) -> Mapping[str, tuple[Node, ...]]:
    """Give the linear nodes of each recurrent weight, in order, by its path.

    >>> import numpy as np
    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> first, second = sketch.input((4, 2)), sketch.input((4, 2))
    >>> h = sketch.dense(sketch.dense(first, 3, path="in"), 3, path="h")
    >>> x = sketch.dense(second, 3, path="in")
    >>> h = sketch.apply(sketch.combine(Op.ADD, h, x), np.tanh)
    >>> graph = sketch.graph(sketch.dense(h, 3, path="h"))
    >>> list(recurrent_uses(Flow(graph)))
    ['h.weight']
    """
    uses: dict[str, list[Node]] = {}
    for node in flow.graph.linears:
        if node.weight is not None and not node.weight.roles.is_lookup:
            path = flow.graph.parameter(node.weight.path).path
            uses.setdefault(path, []).append(node)
    return {
        path: tuple(nodes)
        for path, nodes in uses.items()
        if len(nodes) > 1 and _is_recurrent(flow, nodes[-2], nodes[-1])
    }


def _is_recurrent(flow: Flow, earlier: Node, later: Node) -> bool:
    """Say whether ``later`` reads what ``earlier`` gave, merged with something new."""
    between = _between(flow, earlier, later)
    if later.id not in between:
        return False
    merges = [flow.nodes[i] for i in between if flow.nodes[i].op in _MERGING]
    fresh = {
        _unmoved(flow, source).id
        for merge in merges
        for source in flow.before(merge)
        if source.id not in between
    }
    return bool(fresh - flow.ancestors(earlier.id)) if fresh else False


def _unmoved(flow: Flow, node: Node) -> Node:
    """Give what a tensor was before it was reshaped; a slice of one is a new value."""
    current = node
    while current.op in MOVING and not is_slice(current) and flow.before(current):
        current = flow.before(current)[0]
    return current


def _between(flow: Flow, earlier: Node, later: Node) -> set[int]:
    """Give the nodes on the ways from one node to the other, both included."""
    reached = {earlier.id}
    for node in flow.graph.nodes:
        if earlier.id < node.id <= later.id and reached.intersection(node.inputs):
            reached.add(node.id)
    wanted: set[int] = set()
    waiting = [later.id] if later.id in reached else []
    while waiting:
        current = waiting.pop()
        if current not in wanted:
            wanted.add(current)
            waiting += [i for i in flow.nodes[current].inputs if i in reached]
    return wanted
