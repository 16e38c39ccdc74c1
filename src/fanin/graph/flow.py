"""Walks along a Graph: what came before a node, what comes after it."""

from __future__ import annotations

from collections import defaultdict, deque
from functools import cached_property
from typing import TYPE_CHECKING

from fanin.graph.graph import Op

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.graph.graph import Graph, Node

SHAPING = frozenset({Op.REARRANGE, Op.NOISE, Op.REDUCE})
"""Operations that hand on one tensor's numbers, moved, masked or pooled."""

TRANSPARENT = SHAPING | {Op.NORMALIZE, Op.ADD, Op.CONCAT}
"""Operations through which a pre-activation still reaches its activation."""

VALUES = frozenset({Op.INPUT, Op.CONSTANT, Op.PARAMETER})
"""Nodes that no other node feeds."""


def is_affine(node: Node) -> bool:
    """Say whether a node only multiplies by a number and adds one.

    As attention divides by √d and a normalization adds its eps: no activation.
    """
    return node.op is Op.ELEMENTWISE and node.details.get("is_affine") is True


class Flow:
    """A Graph with its arrows in both directions, found once.

    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.input((4, 2))
    >>> y = sketch.dense(x, 3, path="0")
    >>> [node.path for node in Flow(sketch.graph(y)).after(x)]
    ['0']
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: dict[int, Node] = {node.id: node for node in graph.nodes}
        self._after: dict[int, list[Node]] = defaultdict(list)
        for node in graph.nodes:
            for source in dict.fromkeys(node.inputs):
                self._after[source].append(node)

    def before(self, node: Node) -> tuple[Node, ...]:
        """Give the nodes that feed ``node`` with activations, in order."""
        sources = (self.nodes[node_id] for node_id in node.inputs)
        return tuple(s for s in sources if s.op not in {Op.PARAMETER, Op.CONSTANT})

    def after(self, node_id: int) -> tuple[Node, ...]:
        """Give the nodes that read the output of ``node_id``, in order."""
        return tuple(self._after.get(node_id, ()))

    def ancestors(self, node_id: int) -> set[int]:
        """Give the ids of all nodes that ``node_id`` depends on, itself included."""
        found: set[int] = set()
        waiting = [node_id]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting += self.nodes[current].inputs
        return found

    def origin(self, node: Node) -> Node | None:
        """Give the node whose numbers a linear node reads, moved or pooled or not.

        It is the first node before it that is not a rearrangement, noise or pooling:
        an activation, a sum, a normalization, an input. None where nothing feeds it.
        """
        sources = self.before(node)
        current = sources[0] if sources else None
        while current is not None and current.op in SHAPING:
            sources = self.before(current)
            current = sources[0] if sources else None
        return current

    def root(self, node: Node) -> Node | None:
        """Give what ``origin`` gives, seen through affine nodes as well."""
        current = self.origin(node)
        while current is not None and is_affine(current):
            current = self.origin(current)
        return current

    @cached_property
    def activations(self) -> Mapping[int, Node]:
        """Give the nearest activation that each node's output goes through, if any.

        Found once, from the outputs back: along a residual stream a walk from every
        node would see all that follows. Of two as near, the first in order counts.
        """
        found: dict[int, tuple[int, Node]] = {}
        for node in reversed(self.graph.nodes):
            ways = [
                way
                for reader in self.after(node.id)
                if (way := self._way_through(reader, found)) is not None
            ]
            if ways:
                found[node.id] = min(ways, key=lambda way: way[0])
        return {node_id: node for node_id, (_, node) in found.items()}

    def _way_through(
        self, reader: Node, found: Mapping[int, tuple[int, Node]]
    ) -> tuple[int, Node] | None:
        """Give how far the activation is that a reader leads to, and which it is."""
        if reader.op is Op.ELEMENTWISE and not is_affine(reader):
            return 0, reader
        is_passed = reader.op in TRANSPARENT or is_affine(reader)
        if not is_passed or reader.id not in found:
            return None
        n_steps, node = found[reader.id]
        return n_steps + 1, node

    def first_after(self, node: Node, passing: frozenset[Op]) -> Iterator[Node]:
        """Yield the nearest nodes after ``node``, seen through the ``passing`` ops.

        Affine nodes are passed too: they hand on one tensor's numbers to another scale.
        """
        waiting = deque(self.after(node.id))
        seen: set[int] = set()
        while waiting:
            current = waiting.popleft()
            if current.id in seen:
                continue
            seen.add(current.id)
            if current.op in passing or is_affine(current):
                waiting += self.after(current.id)
            else:
                yield current


def next_activation(graph: Graph, node: Node) -> Node | None:
    """Give the activation that a linear node's output goes through, or None.

    Normalization, sums, pooling, dropout, reshaping and affine nodes may stand in
    between; another linear node, a product or a softmax may not.

    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> z = sketch.normalize(sketch.dense(sketch.input((4, 2)), 3, path="0"), path="1")
    >>> a = sketch.apply(z, abs, path="2")
    >>> graph = sketch.graph(a)
    >>> next_activation(graph, graph.linears[0]).path
    '2'
    """
    return activation_after(Flow(graph), node)


def activation_after(flow: Flow, node: Node) -> Node | None:
    """Do what ``next_activation`` does, on a Flow that is at hand."""
    return flow.activations.get(node.id)
