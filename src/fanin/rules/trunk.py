"""The trunk: the one path of nodes, input to output, that carries the signal.

Where branches join, the trunk follows the operand with the larger second moment: the
stream of a residual network, not a branch that starts at zero. It is found from the
measured sizes, so no layer names are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.graph.graph import Op

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph, Node
    from fanin.graph.measurement import SiteStatistics

SOURCES = {Op.CONSTANT, Op.PARAMETER}
DEEPER_CAUSES = (
    "FAN101",
    "FAN103",
    "FAN104",
    "FAN203",
    "FAN204",
    "FAN802",
    "FAN803",
    "FAN804",
    "FAN805",
)
"""Rules that say why a size on the trunk is wrong, whichever rule measured it."""


@dataclass(frozen=True, kw_only=True)
class Trunk:
    """Nodes from the input to the first output, in order."""

    nodes: tuple[Node, ...]

    @property
    def linears(self) -> tuple[Node, ...]:
        """Give the linear nodes on the trunk, lookups left out."""
        return tuple(n for n in self.nodes if n.op is Op.LINEAR and not is_lookup(n))

    @property
    def hidden(self) -> tuple[Node, ...]:
        """Give the linear nodes but the last, which makes the output."""
        return self.linears[:-1]

    @property
    def head(self) -> Node | None:
        """Give the last linear node, which makes the output."""
        return self.linears[-1] if self.linears else None

    @property
    def is_normalized(self) -> bool:
        """Say whether some node on the trunk normalizes."""
        return any(n.op is Op.NORMALIZE for n in self.nodes)

    @property
    def is_residual(self) -> bool:
        """Say whether branches join the trunk."""
        return any(n.op is Op.ADD for n in self.nodes)

    def stretches(self) -> tuple[tuple[Node, ...], ...]:
        """Give the runs of signal-bearing nodes that no normalization cuts.

        In each run: the outputs of hidden linear nodes and of sums.
        """
        runs: list[list[Node]] = [[]]
        head = self.head
        for node in self.nodes:
            if node.op is Op.NORMALIZE:
                runs.append([])
            elif node.op in {Op.LINEAR, Op.ADD} and node is not head:
                runs[-1].append(node)
        return tuple(tuple(run) for run in runs if run)


def is_lookup(node: Node) -> bool:
    """Say whether a linear node picks rows of a table."""
    return node.details.get("kind") == "lookup"


def find_trunk(graph: Graph, sites: Mapping[int, SiteStatistics]) -> Trunk:
    """Walk back from the first output along the largest second moments."""
    nodes = {node.id: node for node in graph.nodes}
    path: list[Node] = []
    current = nodes.get(graph.outputs[0]) if graph.outputs else None
    while current is not None:
        path.append(current)
        current = _upstream(current, nodes, sites)
    return Trunk(nodes=tuple(reversed(path)))


def _upstream(
    node: Node, nodes: Mapping[int, Node], sites: Mapping[int, SiteStatistics]
) -> Node | None:
    """Give the input that the trunk comes from, or None at its start."""
    inputs = [nodes[i] for i in node.inputs if i in nodes]
    inputs = [n for n in inputs if n.op not in SOURCES]
    if not inputs:
        return None
    if node.op is Op.CONTRACT:
        return inputs[-1]  # the values: what attention weighs and passes on
    if node.op in {Op.ADD, Op.MULTIPLY, Op.CONCAT}:
        # The earlier node at equal size: the stream is older than the branch.
        return max(inputs, key=lambda n: (_size(n, sites), -n.id))
    return inputs[0]


def _size(node: Node, sites: Mapping[int, SiteStatistics]) -> float:
    site = sites.get(node.id)
    return site.second_moment if site is not None and site.is_finite else 0.0


def mending_paths(graph: Graph, trunk: Trunk) -> tuple[str, ...]:
    """Give the weights and biases whose new draw sets the scale of the signal right.

    Those on the trunk; where branches join it, those of the branches as well.
    """
    nodes = graph.linears if trunk.is_residual else trunk.linears
    named = ((n.weight.path, n.bias) for n in nodes if n.weight is not None)
    return tuple(dict.fromkeys(path for pair in named for path in pair if path))


def scale_paths(trunk: Trunk) -> tuple[str, ...]:
    """Give the weights on the trunk, which findings on scale are about."""
    paths = (n.weight.path for n in trunk.linears if n.weight is not None)
    return tuple(dict.fromkeys(paths))
