"""Roles: what each parameter is for, read off the Graph and never off its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.graph.roles.kinds import Role, RoleKind
from fanin.graph.roles.linear import linear_roles
from fanin.graph.roles.setting import setting_of
from fanin.graph.roles.values import factor_role, value_role
from fanin.graph.unit_spaces import parameter_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph, Node
    from fanin.graph.roles.setting import Setting

_TABLES = {RoleKind.EMBEDDING, RoleKind.POSITION_TABLE}
_STEPS = {RoleKind.RECURRENT, RoleKind.INPUT_TO_HIDDEN}


def roles(graph: Graph) -> Mapping[str, Role]:
    """Give the role of every parameter of the Graph, by path.

    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> z = sketch.dense(sketch.input((4, 2)), 3, path="0")
    >>> graph = sketch.graph(sketch.dense(z, 1, path="1"))
    >>> [str(role.kind) for role in roles(graph).values()]
    ['input layer', 'bias', 'head', 'head bias']
    """
    setting = setting_of(graph)
    found: dict[str, Role] = {}
    for node in graph.nodes:
        for path, role in _uses(setting, node).items():
            name = graph.parameter(path).path
            found[name] = _merged(found[name], role) if name in found else role
    unread = Role(kind=RoleKind.UNREAD, evidence="no operation that ran reads it")
    return {p.path: found.get(p.path, unread) for p in graph.parameters}


def _uses(setting: Setting, node: Node) -> dict[str, Role]:
    """Give the roles of the parameters that one node uses."""
    graph = setting.flow.graph
    if node.op is Op.LINEAR:
        return linear_roles(setting, node)
    if node.op is Op.NORMALIZE:
        return _norm_roles(setting, node)
    if node.op is Op.MULTIPLY and node.scale is not None:
        return {node.scale: factor_role(setting, node, graph.parameter(node.scale))}
    if node.op is Op.PARAMETER:
        path = parameter_path(graph, node)
        if path is not None:
            return {path: value_role(setting, node, graph.parameter(path))}
    return {}


def _norm_roles(setting: Setting, node: Node) -> dict[str, Role]:
    """Give the roles of a gain and a shift; a gain may be the end of a branch."""
    name = node.path or f"node {node.id}"
    found = {}
    for path, kind in (
        (node.scale, RoleKind.NORM_GAIN),
        (node.bias, RoleKind.NORM_SHIFT),
    ):
        if path is not None:
            found[path] = Role(kind=kind, node=node.id, evidence=f"of {name}")
    joint = next(
        (
            setting.joints[reader.id]
            for reader in setting.flow.after(node.id)
            if reader.id in setting.joints
            and node.id in setting.joints[reader.id].branches
        ),
        None,
    )
    if joint is not None and joint.shortcut is not None and node.scale is not None:
        gain = found[node.scale]
        found[node.scale] = replace(gain, n_branches=joint.n_branches)
    return found


def _merged(first: Role, second: Role) -> Role:
    """Join the roles of a parameter that is used more than once."""
    n_uses = first.n_uses + 1
    kinds = {first.kind, second.kind}
    if RoleKind.HEAD in kinds and kinds & _TABLES:
        table = first if first.kind in _TABLES else second
        evidence = "rows are looked up by index, and it writes the model's output"
        return replace(
            table, kind=RoleKind.TIED_EMBEDDING, evidence=evidence, n_uses=n_uses
        )
    is_step = second.kind in _STEPS and first.kind not in _STEPS
    if is_step or (not first.is_known and second.is_known):
        return replace(second, n_uses=n_uses)
    evidence = f"{first.evidence.split('; used')[0]}; used {n_uses} times"
    is_scale_free = first.is_scale_free and second.is_scale_free
    return replace(first, evidence=evidence, n_uses=n_uses, is_scale_free=is_scale_free)
