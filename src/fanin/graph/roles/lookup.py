"""The roles of tables whose rows are looked up by index."""

from __future__ import annotations

from math import isclose, prod
from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.graph.roles.kinds import RoleKind
from fanin.graph.roles.walks import MOVING, forward

if TYPE_CHECKING:
    from fanin.graph.graph import Node
    from fanin.graph.roles.setting import Setting


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


def n_summed(setting: Setting, node: Node) -> int:
    """Count the tables that are added up where this one is: 1 if it stands alone.

    Sums of sums count as one. The sum in which a residual branch comes back is none:
    the table is the stream there.
    """
    top = node
    while (above := _sum_above(setting, top)) is not None:
        top = above
    return 1 if top is node else max(len(_summands(setting, top)), 1)


def _sum_above(setting: Setting, node: Node) -> Node | None:
    """Give the plain sum that reads a tensor next, if one does."""
    readers = (n for _, n in forward(setting.flow, node, lambda n: n.op in MOVING))
    return next((n for n in readers if _is_plain_sum(setting, n)), None)


def _is_plain_sum(setting: Setting, node: Node) -> bool:
    return node.op is Op.ADD and node.id not in setting.joined


def _summands(setting: Setting, node: Node) -> list[Node]:
    """Give what a sum adds up, sums within it taken apart; constants left out."""
    found, waiting = [], [node]
    while waiting:
        current = waiting.pop()
        if current.op in MOVING and current.inputs:
            waiting.append(setting.flow.nodes[current.inputs[0]])
        elif _is_plain_sum(setting, current):
            waiting += [setting.flow.nodes[i] for i in current.inputs]
        elif current.op is not Op.CONSTANT:
            found.append(current)
    return found
