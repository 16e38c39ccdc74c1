"""The roles of weights, and of the biases that are added behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.flow import activation_after
from fanin.graph.graph import Op
from fanin.graph.roles.cells import gates_of
from fanin.graph.roles.kinds import Role, RoleKind, RoleSlice
from fanin.graph.roles.lookup import n_summed
from fanin.graph.roles.rows import cuts_after, rows_of
from fanin.graph.roles.rules import kind_of, listed
from fanin.graph.roles.walks import MOVING, forward, is_product

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph.graph import Node
    from fanin.graph.roles.residual import Joint
    from fanin.graph.roles.setting import Setting

_SIDES = {RoleKind.QUERY, RoleKind.KEY, RoleKind.VALUE}
_PAIR = {RoleKind.GATE, RoleKind.UP}
_BIASES = {RoleKind.HEAD: RoleKind.HEAD_BIAS, RoleKind.STEP_SIZE: RoleKind.STEP_SIZE}


_CUT = {
    RoleKind.QKV,
    RoleKind.HIDDEN,
    RoleKind.INPUT_LAYER,
    RoleKind.GATE,
    RoleKind.UP,
    RoleKind.CONTRACTED,
    RoleKind.STEP_SIZE,
    *_SIDES,
}
"""Kinds of a whole output that may be the kinds of its parts, thrown together."""


def linear_roles(setting: Setting, node: Node) -> dict[str, Role]:
    """Give the roles of a linear node's weight and bias, by the paths it names."""
    weight = node.weight
    if weight is None:
        return {}
    role = _weight_role(setting, node)
    found = {weight.path: role}
    name = node.path or weight.path
    for part in _parts_of(node):
        known = setting.flow.graph.parameter(part).path
        if known != setting.flow.graph.parameter(weight.path).path:
            found[part] = _part_role(node, part, name)
    if node.bias is not None:
        found[node.bias] = Role(
            kind=_BIASES.get(role.kind, RoleKind.BIAS),
            node=node.id,
            evidence=f"added to {name}",
            slices=role.slices,
        )
    return found


def _parts_of(node: Node) -> tuple[str, ...]:
    parts = node.details.get("computed_from", ())
    return tuple(str(part) for part in parts) if isinstance(parts, tuple) else ()


def _part_role(node: Node, part: str, name: str) -> Role:
    if part == node.details.get("length"):
        text = f"alone sets how large the weight of {name} is"
        return Role(kind=RoleKind.WEIGHT_LENGTH, node=node.id, evidence=text)
    text = f"the weight of {name} is computed from it"
    return Role(kind=RoleKind.WEIGHT_PART, node=node.id, evidence=text)


def _weight_role(setting: Setting, node: Node) -> Role:
    flow = setting.flow
    kind, evidence, slices = _kind(setting, node)
    origin, activation = flow.root(node), activation_after(flow, node)
    joint = setting.joint_of.get(node.id)
    is_end = joint is not None and joint.shortcut is not None
    return Role(
        kind=kind,
        evidence=evidence,
        node=node.id,
        origin=None if origin is None else origin.id,
        activation=None if activation is None else activation.id,
        n_branches=joint.n_branches if joint is not None and is_end else 0,
        n_summed=_n_summed(setting, node),
        slices=slices,
        is_scale_free=_is_scale_free(setting, node),
        is_depthwise=_is_depthwise(node),
    )


def _kind(setting: Setting, node: Node) -> tuple[RoleKind, str, tuple[RoleSlice, ...]]:
    """Decide the kind of a weight, part by part where its output is cut."""
    kind, evidence = kind_of(setting, node, node)
    if kind in {RoleKind.RECURRENT, RoleKind.INPUT_TO_HIDDEN}:
        return (
            kind,
            evidence,
            gates_of(setting, node),
        )
    cuts = cuts_after(setting.flow, node)
    if len(cuts) < 2 or kind not in _CUT:
        return kind, evidence, ()
    slices = tuple(dict.fromkeys(_slices(setting, node, cuts)))
    kinds = {kind_of(setting, cut, node)[0] for cut in cuts}
    if len(kinds) == 1:
        return (*kind_of(setting, cuts[0], node), ())
    if kinds <= _SIDES:
        return RoleKind.QKV, f"cut into {listed(kinds)} of attention", slices
    if kinds == _PAIR:
        return RoleKind.GATE_UP, "cut into a gate and what it gates", slices
    return RoleKind.FUSED, f"cut into parts: {listed(kinds)}", slices


def _slices(
    setting: Setting, node: Node, cuts: tuple[Node, ...]
) -> Iterator[RoleSlice]:
    for cut in cuts:
        rows = rows_of(setting.flow, node, cut)
        if rows is not None:
            start, size, period = rows
            kind, _ = kind_of(setting, cut, node)
            yield RoleSlice(kind=kind, start=start, size=size, period=period)


# What else a Role says of a weight


def _n_summed(setting: Setting, node: Node) -> int:
    """Count the operands of the plain sum that a weight feeds; 1 if it feeds none."""
    if node.weight is not None and node.weight.roles.is_lookup:
        return n_summed(setting, node)
    joint = setting.joint_of.get(node.id)
    if joint is None or joint.shortcut is not None:
        return 1
    return len(joint.branches) if _reaches(setting, node, joint) else 1


def _reaches(setting: Setting, node: Node, joint: Joint) -> bool:
    """Say whether an output comes to a sum without being multiplied by another."""

    def passing(reader: Node) -> bool:
        is_sum = reader.op in {Op.ADD, Op.LINEAR, Op.CONTRACT, Op.SOFTMAX}
        return not (is_sum or is_product(setting.flow, reader))

    ways = forward(setting.flow, node, passing)
    return any(reader.id == joint.node for _, reader in ways)


def _is_scale_free(setting: Setting, node: Node) -> bool:
    """Say whether every reader is a normalization, seen through reshaping and noise."""
    readers = list(setting.flow.first_after(node, MOVING))
    is_output = node.id in setting.flow.graph.outputs
    return (
        bool(readers)
        and not is_output
        and all(reader.op is Op.NORMALIZE for reader in readers)
    )


def _is_depthwise(node: Node) -> bool:
    if node.weight is None or node.unit_axis is None:
        return False
    groups = node.weight.roles.groups
    return groups > 1 and groups == node.shape[node.unit_axis]
