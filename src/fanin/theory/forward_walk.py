"""A walk through a Graph in order of execution, and what its rules look up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.theory import forward_pairs as with_pairs
from fanin.theory.forward_facts import one_function
from fanin.theory.gaussian import gaussian_rule
from fanin.theory.moments import through_function

if TYPE_CHECKING:
    from fanin.graph.graph import Graph, Node
    from fanin.theory.forward_facts import Join
    from fanin.theory.given import Given
    from fanin.theory.moments import Moments


class Walk(ABC):
    """One walk from the inputs to the outputs.

    ``moments`` holds what is predicted at each node, None where there is no rule;
    ``slopes`` E[φ′²] of each elementwise node; ``notes`` why something is None;
    ``assumptions`` what is taken for granted at a node, beyond wide layers.
    """

    def __init__(self, graph: Graph, given: Given) -> None:
        self.graph = graph
        self.flow = Flow(graph)
        self.given = given
        self.moments: dict[int, Moments | None] = {}
        self.slopes: dict[int, float] = {}
        self.notes: dict[int, str] = {}
        self.assumptions: dict[int, tuple[str, ...]] = {}
        self.tables: set[str] = set()
        self._roots: dict[int, frozenset[int]] = {}

    def run(self) -> None:
        """Visit all nodes, in order of execution."""
        for node in self.graph.nodes:
            self._roots[node.id] = self._roots_of(node)
            predicted = self._visit(node)
            self.moments[node.id] = self.given.known.get(node.id, predicted)

    def assume(self, node: Node, phrase: str) -> None:
        """Write down what the rule at a node takes for granted."""
        if phrase:
            known = self.assumptions.get(node.id, ())
            self.assumptions[node.id] = (*known, phrase)

    def _roots_of(self, node: Node) -> frozenset[int]:
        """Give the nodes that this one is a function of, weights not crossed."""
        if node.op in {Op.LINEAR, Op.CONTRACT} or not node.inputs:
            return frozenset({node.id})
        return frozenset().union(*(self._roots[i] for i in node.inputs))

    @abstractmethod
    def _visit(self, node: Node) -> Moments | None:
        """Give what is predicted at a node, None where there is no rule."""

    def _first(self, node: Node) -> Moments | None:
        return self.moments[node.inputs[0]] if node.inputs else None

    def _all(self, node: Node) -> list[Moments] | None:
        """Give the operands' moments, or None if one is not known."""
        return self._known(node.inputs)

    def _known(self, ids: tuple[int, ...]) -> list[Moments] | None:
        found = [self.moments[i] for i in ids]
        known = [moments for moments in found if moments is not None]
        return known if len(known) == len(found) else None

    def _as_one_function(self, node: Node, join: Join) -> Moments | None:
        """Integrate x + φ(x) or x·φ(x) as one function of x, where x is known."""
        found = one_function(self.flow, node, join)
        x = None if found is None else self.moments[found[0]]
        if found is None or x is None:
            return None
        rule = gaussian_rule(found[1], mean=x.mean, variance=x.variance)
        return with_pairs.function(x, found[1], through_function(x, rule))

    def _is_dependent(self, node: Node) -> bool:
        """Say whether two operands depend on one tensor, with no weight between."""
        seen: set[int] = set()
        for node_id in node.inputs:
            roots = {
                root
                for root in self._roots[node_id]
                if self.flow.nodes[root].op not in {Op.CONSTANT, Op.PARAMETER}
            }
            if seen & roots:
                return True
            seen |= roots
        return False
