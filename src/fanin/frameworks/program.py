"""What a recorded program is to the verbs, in whichever compiler it was traced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks.calibration import Goals
    from fanin.graph import Graph, SiteStatistics
    from fanin.graph.builder import Built
    from fanin.graph.degree import Degrees


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The graph, and where its nodes are in the program.

    sites: by node id, the value that is the node's output. linears: by value, of
    products with a weight, the degrees in the parameters that the weight is made of
    (``graph.degree``), before a bias is added.
    """

    graph: Graph
    sites: Mapping[int, int]
    linears: Mapping[int, Degrees]

    @classmethod
    def of(
        cls, built: Built, values: Mapping[int, int], linears: Mapping[int, Degrees]
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

    def products(self, goals: Goals) -> dict[int, Product]:
        """Give the products that are to be scaled, by value.

        Where a bias follows the weight, its sum with the product stands for that.
        """
        found = {}
        for value, degrees in self.linears.items():
            path = goals.path_of(degrees)
            if path is not None and degrees[path] != 0.0:
                degree = degrees[path]
                found[value] = Product(value=value, path=path, degree=degree)
        summed = {}
        for node in self.graph.linears:
            path = "" if node.weight is None else node.weight.path
            if path in goals.followers and node.bias is not None:
                value = self.sites[node.id]
                summed[value] = Product(value=value, path=path, degree=1.0)
        followed = {product.path for product in summed.values()}
        kept = {v: each for v, each in found.items() if each.path not in followed}
        return kept | summed


@dataclass(frozen=True, kw_only=True)
class Product:
    """A value that is a product with a weight.

    path: of the parameter that is to be scaled. degree: in it; None if not known.
    """

    value: int
    path: str
    degree: float | None


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
