"""What a recorded program is to the verbs, in whichever compiler it was traced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks.calibration import Goals
    from fanin.graph import Graph, Node, SiteStatistics, Task
    from fanin.graph.builder import Built
    from fanin.graph.degree import Degrees


def rehearse(model: Any, task: Task) -> None:
    """Give None: a program is traced at the values that it runs at, each time anew."""
    del model, task


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
        nodes = {
            node.weight.path: node
            for node in reversed(self.graph.linears)
            if node.weight is not None
        }
        found = {}
        for value, degrees in self.linears.items():
            path = goals.path_of(degrees)
            if path is not None and degrees[path] != 0.0:
                found[value] = Product(
                    value=value,
                    path=path,
                    degree=degrees[path],
                    node=nodes.get(path),
                )
        summed = {}
        for node in self.graph.linears:
            path = "" if node.weight is None else node.weight.path
            if goals.follower(path) is not None and node.bias is not None:
                value = self.sites[node.id]
                summed[value] = Product(value=value, path=path, degree=1.0, node=node)
        followed = {product.path for product in summed.values()}
        kept = {v: each for v, each in found.items() if each.path not in followed}
        return kept | summed


@dataclass(frozen=True, kw_only=True)
class Product:
    """A value that is a product with a weight.

    path: of the parameter that is to be scaled. degree: in it; None if not known.
    node: of the graph, the first that reads the parameter.
    """

    value: int
    path: str
    degree: float | None
    node: Node | None = None

    def other_axes(self, shape: Sequence[int], n_units: int) -> tuple[int, ...] | None:
        """Give the axes of samples and positions, where there are so many units."""
        axis = None if self.node is None else self.node.unit_axis
        if axis is None or self.node is None or tuple(shape) != self.node.shape:
            return None
        others = tuple(i for i in range(len(shape)) if i != axis)
        return others if others and shape[axis] == n_units else None


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
