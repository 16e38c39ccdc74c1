"""Recurrent cells as the frameworks' own layers have them: sizes, forget gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.fans import matrix_fans
from fanin.graph.roles import RoleKind
from fanin.graph.roles.setting import setting_of
from fanin.prescription.prescription import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph
    from fanin.graph.roles import Role

CELL_WEIGHTS = frozenset({RoleKind.RECURRENT, RoleKind.INPUT_TO_HIDDEN})


def cell_sizes(graph: Graph) -> Mapping[str, int]:
    """Give the units of the state, for each weight and bias of a recurrent cell.

    By path; 0 entries where the model has no recurrent cell.
    """
    setting = setting_of(graph)
    sizes: dict[str, int] = {}
    for node in graph.linears:
        path = "" if node.weight is None else graph.parameter(node.weight.path).path
        cell = setting.taking_in.get(node.id, path if path in setting.recurrent else "")
        recurrent = setting.recurrent.get(cell)
        weight = None if recurrent is None else recurrent[-1].weight
        if weight is None:
            continue
        shape = graph.parameter(weight.path).shape
        n_units = int(matrix_fans(shape, weight.roles).n_in)
        for name in (path, node.bias):
            if name is not None:
                sizes[graph.parameter(name).path] = n_units
    return sizes


def forget_parts(role: Role, value: float) -> tuple[Part, ...]:
    """Set the units of forget gates to a number, where the role knows them."""
    return tuple(
        Part.of(piece, value=value)
        for piece in role.slices
        if piece.kind is RoleKind.FORGET_GATE
    )
