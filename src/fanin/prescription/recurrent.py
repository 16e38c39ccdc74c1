"""Recurrent cells: one matrix a gate, and how long the state is kept at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.fans import matrix_fans
from fanin.prescription.cells import CELL_WEIGHTS, cell_sizes

if TYPE_CHECKING:
    from fanin.graph.graph import Graph, Node
    from fanin.graph.roles import Role


def n_gates(graph: Graph, node: Node, role: Role) -> int:
    """Count the gates whose matrices one weight of a cell stacks: 1 for any other."""
    if node.weight is None or role.kind not in CELL_WEIGHTS:
        return 1
    parameter = graph.parameter(node.weight.path)
    n_units = cell_sizes(graph).get(parameter.path, 0)
    n_out = int(matrix_fans(parameter.shape, node.weight.roles).n_out)
    return n_out // n_units if n_units and n_out % n_units == 0 else 1
