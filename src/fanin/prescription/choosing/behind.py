"""How large the end of a branch has to be for what stands between it and the sum.

A branch of L adds 1/√L of its stream's size, counted where it is added. Where an
activation or a gate stands behind the last weight, x + z·σ(g) or x + relu(z), the
weight's own output is larger: the function takes √E[φ(z)²] of it, by theory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fanin.graph.flow import is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.residual import joints
from fanin.prescription.choosing.treated import values_of
from fanin.theory.forward import Forward
from fanin.theory.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fanin.graph.flow import Flow
    from fanin.graph.graph import Graph, Node
    from fanin.theory.given import Given

FOLLOWED: Final = frozenset({Op.ELEMENTWISE, Op.MULTIPLY, Op.REARRANGE, Op.NOISE})
N_STEPS: Final = 30
CLOSE: Final = 1e-4
"""Relative distance from the size wanted that is near enough."""


class Behind(Forward):
    """What functions of one last weight alone make of its size.

    Operations that read another tensor too are not followed: their branch is sized at
    the weight.
    """

    def __init__(self, graph: Graph, given: Given) -> None:
        super().__init__(graph, given)
        self._ways = dict(_ways(self.flow))
        self._sizes: dict[tuple[object, ...], float | None] = {}

    def size(self, end: Node, wanted: float) -> float | None:
        """Give the root mean square at the end that makes ``wanted`` of it at the sum.

        None where nothing stands between that changes it, or no size does.
        """
        way = self._ways.get(end.id)
        if way is None or wanted <= 0.0:
            return None
        key = (wanted, *(part for node in way for part in _looks(node, end)))
        if key not in self._sizes:
            self._sizes[key] = self._search(end, way, wanted)
        return self._sizes[key]

    def _search(self, end: Node, way: tuple[Node, ...], wanted: float) -> float | None:
        size = wanted
        for _ in range(N_STEPS):
            found = self._through(end, way, size)
            if found is None or not found > 0.0:
                return None
            if abs(found - wanted) <= CLOSE * wanted:
                return size
            size *= wanted / found
        return None

    def _through(self, end: Node, way: tuple[Node, ...], size: float) -> float | None:
        """Give the root mean square behind the way, of so large an output."""
        self.moments = {end.id: Moments(second_moment=size**2)}
        self._roots = {end.id: frozenset({end.id})}
        for node in way:
            self._roots[node.id] = self._roots_of(node)
            self.moments[node.id] = self._visit(node)
        last = self.moments[way[-1].id]
        return None if last is None else last.rms


def _ways(flow: Flow) -> Iterable[tuple[int, tuple[Node, ...]]]:
    """Yield the ends that alone feed a branch, and the nodes from there to the sum."""
    for joint in joints(flow):
        if joint.shortcut is None or len(joint.branches) != len(joint.ends):
            continue
        for branch in joint.branches:
            end, way = _way(flow, branch)
            if end in joint.ends and any(_changes(node) for node in way):
                yield end, way


def _way(flow: Flow, branch: int) -> tuple[int, tuple[Node, ...]]:
    """Go back from a branch to the one tensor that it is a function of."""
    way: set[int] = set()
    waiting = {branch}
    while len(waiting) > 1 or flow.nodes[max(waiting)].op in FOLLOWED:
        latest = max(waiting)  # nodes stand in order of execution
        node = flow.nodes[latest]
        if node.op not in FOLLOWED or not node.inputs or node.scale is not None:
            return latest, ()
        way.add(latest)
        waiting = waiting - {latest} | set(node.inputs)
    return waiting.pop(), tuple(flow.nodes[i] for i in sorted(way))


def _changes(node: Node) -> bool:
    """Say whether a node does more than to move numbers or to scale them."""
    is_function = node.op is Op.ELEMENTWISE and not is_affine(node)
    return is_function or node.op is Op.MULTIPLY


def _looks(node: Node, end: Node) -> tuple[object, ...]:
    """Give what tells two nodes on such ways apart."""
    function = b"" if node.function is None else values_of(node.function)
    return (node.op, function, *(i - end.id for i in node.inputs))
