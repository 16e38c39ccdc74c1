"""What a recorded program is to the verbs, in whichever compiler it was traced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.graph import Graph, SiteStatistics
    from fanin.graph.builder import Built


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The graph, and where its nodes are in the program.

    sites: by node id, the value that is the node's output. linears: by value, the
    path of the parameter that it was contracted with, before a bias is added.
    """

    graph: Graph
    sites: Mapping[int, int]
    linears: Mapping[int, str]

    @classmethod
    def of(
        cls, built: Built, values: Mapping[int, int], linears: Mapping[int, str]
    ) -> Recorded:
        """Find the nodes in the program.

        Args:
            built: what the builder made.
            values: by the builder's id of a value, that of the program.
            linears: as above.
        """
        sites = {
            n: values[draft] for n, draft in built.sites.items() if draft in values
        }
        return cls(graph=built.graph, sites=sites, linears=linears)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one run showed: by node, by parameter path, and the objective's value.

    outputs: the program's, as its framework's arrays. gradients: None where none
    arrived.
    """

    sites: Mapping[int, SiteStatistics]
    gradients: Mapping[str, Any | None]
    objective: float
    outputs: Sequence[Any]
