"""The roles of parameters that are values of their own: tables, tokens, factors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Final

from fanin.graph.flow import is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.cells import gates_behind
from fanin.graph.roles.kinds import Role, RoleKind
from fanin.graph.roles.lookup import n_summed, reaches_logits
from fanin.graph.roles.scan import leads_to, reaches_exponential
from fanin.graph.roles.walks import MOVING, backward, forward, is_slice

if TYPE_CHECKING:
    from fanin.graph.graph import Node, Parameter
    from fanin.graph.roles.residual import Joint
    from fanin.graph.roles.setting import Setting

Found = tuple[RoleKind, str] | None
Rule = Callable[["Setting", "Node", "Parameter", "tuple[Node, ...]"], Found]

STACKED = 3
"""Axes of a stack of matrices."""

_FACTORS = {
    RoleKind.STATE_MATRIX: "times a step size, it is an exponent",
    RoleKind.NORM_GAIN: "multiplies a normalized tensor",
    RoleKind.LOGIT_SCALE: "multiplies a contraction of activations, or the output",
    RoleKind.SKIP: "multiplies a way around all that its sum adds up",
    RoleKind.LAYER_SCALE: "multiplies the end of a residual branch",
}


def value_role(setting: Setting, node: Node, parameter: Parameter) -> Role:
    """Give the role of the parameter that a PARAMETER node holds."""

    def passing(reader: Node) -> bool:
        is_alone = not setting.flow.before(reader)
        return reader.op in MOVING or (reader.op is Op.ELEMENTWISE and is_alone)

    walked = list(forward(setting.flow, node, passing))
    readers = tuple(reader for _, reader in walked)
    found = (rule(setting, node, parameter, readers) for rule in RULES)
    names = dict.fromkeys(str(r.op) for r in readers) or ("nothing",)
    unknown = (RoleKind.UNKNOWN, f"read as a value by {', '.join(names)}")
    kind, evidence = next((f for f in found if f is not None), unknown)
    is_bias = kind is RoleKind.BIAS
    slices = gates_behind(setting, readers, parameter.size) if is_bias else ()
    role = Role(kind=kind, node=node.id, evidence=evidence, slices=slices)
    is_summed = kind in {RoleKind.TABLE, RoleKind.POSITION_TABLE}
    return replace(role, n_summed=n_summed(setting, node)) if is_summed else role


def factor_role(setting: Setting, node: Node, parameter: Parameter) -> Role:
    """Give the role of the parameter by which a MULTIPLY node scales an activation."""
    name = node.path or f"node {node.id}"
    kind, evidence = _factor(setting, node, parameter) or (
        RoleKind.FACTOR,
        f"multiplies in {name}",
    )
    joint = _joint_after(setting, node)
    n_branches = joint.n_branches if joint and kind is RoleKind.LAYER_SCALE else 0
    return Role(kind=kind, node=node.id, evidence=evidence, n_branches=n_branches)


def _joint_after(setting: Setting, node: Node) -> Joint | None:
    for last, reader in forward(setting.flow, node, lambda n: n.op in MOVING):
        joint = setting.joints.get(reader.id)
        if joint is not None and joint.shortcut not in {None, last.id}:
            return joint
    return None


def _factor(setting: Setting, node: Node, parameter: Parameter) -> Found:
    """Say what a product of one activation and one parameter is for."""
    is_number = parameter.size == 1
    facts = (
        (RoleKind.STATE_MATRIX, node.id in setting.decays),
        (RoleKind.NORM_GAIN, _is_behind_norm(setting, node)),
        (RoleKind.LOGIT_SCALE, _is_of_contraction(setting, node)),
        (RoleKind.LOGIT_SCALE, is_number and _is_output(setting, node)),
        (RoleKind.SKIP, _is_shortcut(setting, node)),
        (RoleKind.LAYER_SCALE, _joint_after(setting, node) is not None),
    )
    kind = next((kind for kind, holds in facts if holds), None)
    return None if kind is None else (kind, _FACTORS[kind])


def _is_behind_norm(setting: Setting, node: Node) -> bool:
    """Say whether a product or sum changes a normalized tensor, moved at most."""
    flow = setting.flow
    sources = flow.before(node)
    ways = [w for n in sources for w in backward(flow, n, lambda n: n.op in MOVING)]
    return len(sources) == 1 and any(
        way[-1].op is Op.NORMALIZE and way[-1].scale is None for way in ways
    )


def _is_of_contraction(setting: Setting, node: Node) -> bool:
    ways = (
        way
        for source in setting.flow.before(node)
        for way in backward(
            setting.flow, source, lambda n: n.op in MOVING or is_affine(n)
        )
    )
    return any(way[-1].op is Op.CONTRACT for way in ways)


def _is_output(setting: Setting, node: Node) -> bool:
    outputs = setting.flow.graph.outputs
    ahead = forward(setting.flow, node, lambda n: n.op in MOVING)
    moved = {last.id for last, _ in ahead}
    return node.id in outputs or bool(moved.intersection(outputs))


def _is_shortcut(setting: Setting, node: Node) -> bool:
    ahead = forward(setting.flow, node, lambda n: n.op in MOVING)
    return any(last.id in setting.shortcuts for last, _ in ahead)


# Rules on how a value is read; the first that fits decides


def _in_logits(
    setting: Setting,
    node: Node,
    parameter: Parameter,  # noqa: ARG001
    readers: tuple[Node, ...],  # noqa: ARG001
) -> Found:
    if reaches_logits(setting, node):
        return RoleKind.POSITION_BIAS, "added to the logits of attention"
    return None


def _in_exponent(
    setting: Setting, node: Node, parameter: Parameter, readers: tuple[Node, ...]
) -> Found:
    del parameter
    if any(reader.id in setting.decays for reader in readers):
        return RoleKind.STATE_MATRIX, _FACTORS[RoleKind.STATE_MATRIX]
    if leads_to(setting.flow, node, setting.decays):
        return RoleKind.STEP_SIZE, "added to what, made positive, is a step size"
    is_added = bool(readers) and all(r.op in {Op.ADD, Op.OPAQUE} for r in readers)
    if is_added and reaches_exponential(setting.flow, node, setting.joined):
        return RoleKind.STATE_MATRIX, "added in the exponent of a decay"
    return None


def _in_product(
    setting: Setting, node: Node, parameter: Parameter, readers: tuple[Node, ...]
) -> Found:
    del node
    products = [reader for reader in readers if reader.op is Op.MULTIPLY]
    if not products or len(products) != len(readers):
        return None
    if not setting.flow.before(products[0]):
        return _masked(setting, products[0])
    known = _factor(setting, products[0], parameter)
    return known or (RoleKind.FACTOR, "multiplies activations")


def _masked(setting: Setting, product: Node) -> Found:
    """Tell a value that a mask spreads over some positions, to be added there."""
    ahead = forward(setting.flow, product, lambda n: n.op in MOVING)
    if any(reader.op is Op.ADD for _, reader in ahead):
        return RoleKind.MASK_VECTOR, "a mask writes it into some positions"
    return None


def _in_activation(
    setting: Setting,
    node: Node,  # noqa: ARG001
    parameter: Parameter,  # noqa: ARG001
    readers: tuple[Node, ...],
) -> Found:
    is_inside = bool(readers) and all(
        reader.op is Op.ELEMENTWISE and setting.flow.before(reader)
        for reader in readers
    )
    text = "a number inside an activation, as PReLU's slope is"
    return (RoleKind.FACTOR, text) if is_inside else None


def _in_sequence(
    setting: Setting,
    node: Node,
    parameter: Parameter,  # noqa: ARG001
    readers: tuple[Node, ...],
) -> Found:
    del setting, node
    joins = [reader for reader in readers if reader.op is Op.CONCAT]
    if not joins:
        return None
    if all(join.details.get("axis") == join.unit_axis for join in joins):
        return RoleKind.TABLE, "joined to the units of another tensor"
    return RoleKind.CLASS_VECTOR, "joined to a sequence as positions of its own"


def _in_sum(
    setting: Setting, node: Node, parameter: Parameter, readers: tuple[Node, ...]
) -> Found:
    if not readers or not all(reader.op is Op.ADD for reader in readers):
        return None
    if "computed_from" in node.details and prod(node.shape) > parameter.size:
        return RoleKind.MASK_VECTOR, "a mask writes it into some positions"
    if _is_of_units(setting, parameter, readers[0]):
        return RoleKind.BIAS, "added to the output of a weight, a number a unit"
    text = f"added to {len(readers[0].inputs) - 1} other tensor(s)"
    kind = RoleKind.POSITION_TABLE if _is_positional(node) else RoleKind.TABLE
    return kind, text


def _is_of_units(setting: Setting, parameter: Parameter, reader: Node) -> bool:
    """Say whether a sum adds as many numbers as the weight before has units."""
    flow = setting.flow

    def passing(node: Node) -> bool:
        joint = setting.joints.get(node.id)
        is_plain = node.op is Op.ADD and (joint is None or joint.shortcut is None)
        return node.op in MOVING or is_plain

    ways = [way for n in flow.before(reader) for way in backward(flow, n, passing)]
    linears = [way for way in ways if way[-1].op is Op.LINEAR]
    return bool(linears) and all(
        parameter.size in {_n_units(setting, way[-1]), *map(_n_cut, way)}
        for way in linears
    )


def _n_cut(node: Node) -> int:
    """Count the units of a slice of a weight's output; 0 for anything else."""
    is_cut = is_slice(node) and node.unit_axis is not None
    return node.shape[node.unit_axis or 0] if is_cut else 0


def _n_units(setting: Setting, linear: Node) -> int:
    """Count what a weight gives at one position: units, on one axis or several."""
    if linear.weight is None or linear.weight.roles.is_lookup:
        return 0
    roles = linear.weight.roles
    shape = setting.flow.graph.parameter(linear.weight.path).shape
    by_axes = prod(shape[i] for i in roles.outputs)
    return by_axes if linear.unit_axis is None else linear.shape[linear.unit_axis]


def _is_positional(node: Node) -> bool:
    """Say whether a value differs along an axis besides that of the units."""
    unit = node.unit_axis
    axis = len(node.shape) - 1 if unit is None else unit
    return any(n > 1 for i, n in enumerate(node.shape) if i != axis)


def _as_activation(
    setting: Setting,
    node: Node,
    parameter: Parameter,  # noqa: ARG001
    readers: tuple[Node, ...],
) -> Found:
    del setting, node
    reading = {Op.LINEAR, Op.NORMALIZE, Op.CONTRACT}
    if readers and all(reader.op in reading for reader in readers):
        return RoleKind.LEARNED_INPUT, "read as activations are, at every sample alike"
    return None


def _as_stack(
    setting: Setting, node: Node, parameter: Parameter, readers: tuple[Node, ...]
) -> Found:
    del setting, node
    is_stack = len(parameter.shape) >= STACKED
    if is_stack and any(reader.op is Op.OPAQUE for reader in readers):
        return RoleKind.EXPERT, f"{parameter.shape[0]} stacked weights"
    return None


def _as_written(
    setting: Setting, node: Node, parameter: Parameter, readers: tuple[Node, ...]
) -> Found:
    del setting, node
    if len(parameter.shape) < STACKED and any(r.op is Op.OPAQUE for r in readers):
        return RoleKind.MASK_VECTOR, "written into some positions of a tensor"
    return None


RULES: Final[tuple[Rule, ...]] = (
    _in_logits,
    _in_exponent,
    _in_activation,
    _in_product,
    _in_sequence,
    _in_sum,
    _as_activation,
    _as_stack,
    _as_written,
)
