"""The roles of tables whose rows are looked up by index."""

from __future__ import annotations

from math import isclose, prod
from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.graph.roles_kinds import RoleKind
from fanin.graph.roles_walks import MOVING, forward

if TYPE_CHECKING:
    from fanin.graph.graph import Node
    from fanin.graph.roles_setting import Setting


def lookup_kind(setting: Setting, node: Node) -> tuple[RoleKind, str]:
    """Tell positions and relative positions from the rows of an embedding."""
    if reaches_logits(setting, node):
        text = "rows are looked up and added to the logits of attention"
        return RoleKind.POSITION_BIAS, text
    if _is_by_position(setting, node):
        text = "rows are looked up by position, which no input decides"
        return RoleKind.POSITION_TABLE, text
    return RoleKind.EMBEDDING, "rows are looked up by index"


def reaches_logits(setting: Setting, node: Node) -> bool:
    """Say whether a table is added to the logits of attention."""
    flow = setting.flow

    logits = setting.attention.logits
    n_own = 0 if node.op is Op.PARAMETER else 1

    def passing(reader: Node) -> bool:
        if reader.op in MOVING | {Op.ELEMENTWISE, Op.OPAQUE, Op.CONCAT}:
            return reader.id not in logits
        is_joined = reader.op in {Op.MULTIPLY, Op.ADD} and reader.id not in logits
        return is_joined and len(flow.before(reader)) == n_own

    added = (reader for _, reader in forward(flow, node, passing))
    return any(n.id in logits and n.op is not Op.CONTRACT for n in added)


def _is_by_position(setting: Setting, node: Node) -> bool:
    """Say whether the indices are fixed, differ, and there is a row for each."""
    if node.weight is None or not node.inputs or node.unit_axis is None:
        return False
    index = setting.flow.nodes[node.inputs[0]]
    if index.op is not Op.CONSTANT or _is_one_number(index):
        return False
    shape = setting.flow.graph.parameter(node.weight.path).shape
    n_rows = prod(shape) // node.shape[node.unit_axis]
    others = (n for i, n in enumerate(node.shape) if i != node.unit_axis)
    return n_rows >= max(others, default=1) > 1


def _is_one_number(node: Node) -> bool:
    mean, square = node.details.get("mean"), node.details.get("second_moment")
    if not isinstance(mean, float) or not isinstance(square, float):
        return False
    return isclose(mean**2, square, rel_tol=1e-9, abs_tol=1e-12)
