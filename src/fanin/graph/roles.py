"""Roles: what each parameter is for, read off the Graph and never off its name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.flow import SHAPING, Flow, activation_after
from fanin.graph.flow import next_activation as next_activation
from fanin.graph.graph import Op
from fanin.graph.residual import Joint, joints
from fanin.graph.unit_spaces import parameter_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph, Node

_TO_READER = SHAPING | {Op.ELEMENTWISE}


class RoleKind(StrEnum):
    """The roles that a parameter can have.

    GATE: its output is multiplied by another activation. CONTRACTED: its output is
    contracted with one, as queries and keys are. FACTOR: multiplies activations.
    TABLE: added to activations as it is. UNKNOWN: read by nothing, or in another way.
    """

    HIDDEN = "hidden"
    INPUT_LAYER = "input layer"
    HEAD = "head"
    BRANCH_END = "branch end"
    GATE = "gate"
    CONTRACTED = "contracted"
    EMBEDDING = "embedding"
    TIED_EMBEDDING = "tied embedding"
    BIAS = "bias"
    HEAD_BIAS = "head bias"
    NORM_GAIN = "norm gain"
    NORM_SHIFT = "norm shift"
    FACTOR = "factor"
    TABLE = "table"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Role:
    """The role of one parameter, and how it was found.

    node: id of the first node that uses it, None if none does. origin: id of the node
    whose numbers a weight reads, seen through pooling and reshaping; activation: id of
    the activation that its output goes through next. n_branches: branches that the
    stream of a BRANCH_END takes up. n_summed: operands of a plain sum that it feeds.
    is_scale_free: a normalization follows, so the scale does not reach the function.
    is_depthwise: one kernel a channel. n_uses: linear nodes that use the weight.
    """

    kind: RoleKind
    evidence: str
    node: int | None = None
    origin: int | None = None
    activation: int | None = None
    n_branches: int = 0
    n_summed: int = 1
    is_scale_free: bool = False
    is_depthwise: bool = False
    n_uses: int = 1


def roles(graph: Graph) -> Mapping[str, Role]:
    """Give the role of every parameter of the Graph, by path.

    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> z = sketch.dense(sketch.input((4, 2)), 3, path="0")
    >>> graph = sketch.graph(sketch.dense(z, 1, path="1"))
    >>> [str(role.kind) for role in roles(graph).values()]
    ['input layer', 'bias', 'head', 'head bias']
    """
    flow = Flow(graph)
    sums = joints(flow)
    heads = head_nodes(flow, sums)
    found: dict[str, Role] = {}
    for node in graph.nodes:
        for path, role in _uses(flow, node, sums, heads).items():
            name = graph.parameter(path).path
            found[name] = _merged(found[name], role) if name in found else role
    unread = Role(kind=RoleKind.UNKNOWN, evidence="no operation that ran reads it")
    return {p.path: found.get(p.path, unread) for p in graph.parameters}


def head_nodes(flow: Flow, sums: tuple[Joint, ...]) -> frozenset[int]:
    """Give the ids of the linear nodes that write the model's outputs.

    A bounded function (sigmoid, tanh), a softmax, pooling or a plain sum may follow;
    after an unbounded activation the output is a feature and nothing is a head.
    """
    joined = {joint.node for joint in sums if joint.shortcut is not None}
    waiting = [flow.nodes[node_id] for node_id in flow.graph.outputs]
    found: set[int] = set()
    while waiting:
        node = waiting.pop()
        if node.op is Op.LINEAR:
            found.add(node.id)
        elif _is_read_through(node) and node.id not in joined:
            waiting += flow.before(node)
    return frozenset(found)


def _is_read_through(node: Node) -> bool:
    if node.op is Op.ELEMENTWISE:
        return _is_bounded(node)
    return node.op in SHAPING | {Op.ADD, Op.CONCAT, Op.SOFTMAX}


def _is_bounded(node: Node) -> bool:
    """Say whether the function stays within ±2 far out: a sigmoid or a tanh."""
    if node.function is None:
        return False
    far = np.asarray(node.function(np.array([-1e3, 1e3])))
    return bool(np.all(np.abs(far) <= 2.0))


def _uses(
    flow: Flow, node: Node, sums: tuple[Joint, ...], heads: frozenset[int]
) -> dict[str, Role]:
    """Give the roles of the parameters that one node uses."""
    if node.op is Op.LINEAR and node.weight is not None:
        return _linear_roles(flow, node, sums, heads)
    name = node.path or f"node {node.id}"
    if node.op is Op.NORMALIZE:
        pairs = ((node.scale, RoleKind.NORM_GAIN), (node.bias, RoleKind.NORM_SHIFT))
        return {p: _plain(k, node, f"of {name}") for p, k in pairs if p is not None}
    if node.op is Op.MULTIPLY and node.scale is not None:
        return {node.scale: _plain(RoleKind.FACTOR, node, f"multiplies in {name}")}
    if node.op is Op.PARAMETER:
        path = parameter_path(flow.graph, node)
        return {} if path is None else {path: _table(flow, node)}
    return {}


def _plain(kind: RoleKind, node: Node, evidence: str) -> Role:
    return Role(kind=kind, node=node.id, evidence=evidence)


def _table(flow: Flow, node: Node) -> Role:
    readers = flow.after(node.id)
    if readers and all(reader.op is Op.ADD for reader in readers):
        sizes = [len(reader.inputs) for reader in readers]
        evidence = f"added to {sizes[0] - 1} other tensor(s)"
        role = _plain(RoleKind.TABLE, node, evidence)
        return replace(role, n_summed=max(sizes))
    if readers and all(reader.op is Op.MULTIPLY for reader in readers):
        return _plain(RoleKind.FACTOR, node, "multiplies activations")
    names = ", ".join(str(reader.op) for reader in readers) or "nothing"
    return _plain(RoleKind.UNKNOWN, node, f"read as a value by {names}")


def _linear_roles(
    flow: Flow, node: Node, sums: tuple[Joint, ...], heads: frozenset[int]
) -> dict[str, Role]:
    weight = node.weight
    if weight is None:
        return {}
    origin = flow.origin(node)
    activation = activation_after(flow, node)
    kind, evidence = _kind(flow, node, sums, heads)
    joint = _joint_of(node, sums)
    roles_of_axes = weight.roles
    n_units = None if node.unit_axis is None else node.shape[node.unit_axis]
    role = Role(
        kind=kind,
        evidence=evidence,
        node=node.id,
        origin=None if origin is None else origin.id,
        activation=None if activation is None else activation.id,
        n_branches=joint.n_branches if joint and kind is RoleKind.BRANCH_END else 0,
        n_summed=_n_summed(flow, node, joint),
        is_scale_free=_is_scale_free(flow, node),
        is_depthwise=roles_of_axes.groups > 1 and roles_of_axes.groups == n_units,
    )
    found = {weight.path: role}
    if node.bias is not None:
        bias = RoleKind.HEAD_BIAS if kind is RoleKind.HEAD else RoleKind.BIAS
        found[node.bias] = _plain(bias, node, f"added to {node.path or weight.path}")
    return found


def _kind(
    flow: Flow, node: Node, sums: tuple[Joint, ...], heads: frozenset[int]
) -> tuple[RoleKind, str]:
    """Decide the kind of a weight; the first that fits, from the most special on."""
    if node.weight is not None and node.weight.roles.is_lookup:
        return RoleKind.EMBEDDING, "rows are looked up by index"
    joint = _joint_of(node, sums)
    if joint is not None and joint.shortcut is not None:
        text = f"node {joint.node} adds it to a stream of {joint.n_branches} branch(es)"
        return RoleKind.BRANCH_END, text
    if node.id in heads:
        return RoleKind.HEAD, "writes the model's output"
    following = {n.id: n for n in flow.first_after(node, _TO_READER)}
    if any(n.op is Op.CONTRACT for n in following.values()):
        return RoleKind.CONTRACTED, "its output is contracted with another activation"
    if any(_is_gate(flow, n) for n in following.values()):
        return RoleKind.GATE, "its output is multiplied by another activation"
    return _plain_kind(flow, node)


def _plain_kind(flow: Flow, node: Node) -> tuple[RoleKind, str]:
    """Tell the input layer from the hidden weights."""
    origin = flow.origin(node)
    if origin is not None and origin.op is Op.INPUT:
        return RoleKind.INPUT_LAYER, "reads the model's input"
    activation = activation_after(flow, node)
    if activation is None:
        return RoleKind.HIDDEN, "no activation follows"
    name = activation.path or f"node {activation.id}"
    return RoleKind.HIDDEN, f"its output goes through {name}"


def _is_gate(flow: Flow, node: Node) -> bool:
    """Say whether a node multiplies two activations."""
    return node.op is Op.MULTIPLY and len(flow.before(node)) > 1


def _joint_of(node: Node, sums: tuple[Joint, ...]) -> Joint | None:
    return next((joint for joint in sums if node.id in joint.ends), None)


def _n_summed(flow: Flow, node: Node, joint: Joint | None) -> int:
    """Count the operands of the plain sum that a weight feeds; 1 if it feeds none."""
    if node.weight is not None and node.weight.roles.is_lookup:
        readers = flow.first_after(node, frozenset({Op.REARRANGE, Op.NOISE}))
        sums = [len(reader.inputs) for reader in readers if reader.op is Op.ADD]
        return max(sums, default=1)
    return len(joint.branches) if joint and joint.shortcut is None else 1


def _is_scale_free(flow: Flow, node: Node) -> bool:
    """Say whether every reader is a normalization, seen through reshaping and noise."""
    readers = list(flow.first_after(node, frozenset({Op.REARRANGE, Op.NOISE})))
    is_output = node.id in flow.graph.outputs
    return (
        bool(readers)
        and not is_output
        and all(reader.op is Op.NORMALIZE for reader in readers)
    )


def _merged(first: Role, second: Role) -> Role:
    """Join the roles of a parameter that is used more than once."""
    kinds = {first.kind, second.kind}
    n_uses = first.n_uses + 1
    if kinds == {RoleKind.EMBEDDING, RoleKind.HEAD}:
        evidence = "rows are looked up by index, and it writes the model's output"
        tied = replace(first, kind=RoleKind.TIED_EMBEDDING, evidence=evidence)
        return replace(tied, n_uses=n_uses)
    evidence = f"{first.evidence.split('; used')[0]}; used {n_uses} times"
    is_scale_free = first.is_scale_free and second.is_scale_free
    return replace(first, evidence=evidence, n_uses=n_uses, is_scale_free=is_scale_free)
