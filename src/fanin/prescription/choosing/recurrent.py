"""Recurrent cells: one matrix a gate, and how long the state is kept at first.

Weights on the state are orthogonal, a matrix a gate: h keeps its length through each
(Saxe et al. 2013; Le et al. 2015). Weights on the input give each gate's pre-activation
variance 1, with a gate's own fans: those of all gates together are no layer's.

An LSTM's state c' = f·c + i·g fades by f a step. At f = σ(0) = 1/2 half of it, and of
the gradient through it, is gone after one step; at σ(1) = 0.731 after 2.2 steps (Gers
et al. 2000, section 4; Jozefowicz et al. 2015, section 3). So the forget gate's bias is
1; where a cell has two biases, as PyTorch's, only one of them, since they are added.

A GRU's h' = z·h + (1 − z)·n has one gate for both: a bias that keeps the old state
shuts the new one out by as much, so it starts at 0 and both get half.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.graph.fans import matrix_fans
from fanin.graph.roles import RoleKind
from fanin.graph.roles.setting import setting_of
from fanin.prescription.choosing.cells import CELL_WEIGHTS, cell_sizes, forget_parts
from fanin.prescription.write_down import constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph, Node, Parameter
    from fanin.graph.roles import Role
    from fanin.graph.roles.setting import Setting
    from fanin.prescription.prescription import Prescription

FORGET_BIAS = 1.0
_GATED = frozenset({RoleKind.FORGET_GATE, RoleKind.UPDATE_GATE})


def n_gates(graph: Graph, node: Node, role: Role) -> int:
    """Count the gates whose matrices one weight of a cell stacks: 1 for any other."""
    if node.weight is None or role.kind not in CELL_WEIGHTS:
        return 1
    parameter = graph.parameter(node.weight.path)
    n_out = int(matrix_fans(parameter.shape, node.weight.roles).n_out)
    sizes = {piece.size for piece in role.slices}
    n_units = sizes.pop() if len(sizes) == 1 else cell_sizes(graph).get(parameter.path)
    return n_out // n_units if n_units and n_out % n_units == 0 else 1


def forgetting(graph: Graph, roles: Mapping[str, Role]) -> frozenset[str]:
    """Give the biases that set the forget gates of their cell: one a cell, by path.

    That of the weight on the input, where it has one.
    """
    with_forget = {
        path: role
        for path, role in roles.items()
        if role.kind is RoleKind.BIAS and forget_parts(role, FORGET_BIAS)
    }
    if not with_forget:
        return frozenset()
    setting = setting_of(graph)
    chosen: dict[str, str] = {}
    for path, role in with_forget.items():
        cell, is_of_input = _cell_of(setting, role)
        if is_of_input or cell not in chosen:
            chosen[cell] = path
    return frozenset(chosen.values())


def _cell_of(setting: Setting, role: Role) -> tuple[str, bool]:
    """Give the recurrent weight of a bias's cell, and whether it is the input's bias.

    A bias that is added to the sum of both stands alone: its node is the cell's name.
    """
    node = setting.flow.nodes[role.node or 0]
    if node.id in setting.taking_in:
        return setting.taking_in[node.id], True
    if node.weight is not None:
        return setting.flow.graph.parameter(node.weight.path).path, False
    return f"node {node.id}", False


def cell_bias(
    parameter: Parameter, role: Role, *, is_forgetting: bool
) -> Prescription | None:
    """Fill the bias of a recurrent cell; None for any other bias."""
    kinds = {piece.kind for piece in role.slices} & _GATED
    if not kinds:
        return None
    if RoleKind.UPDATE_GATE in kinds:
        reason = (
            "Starts at 0: the update gate keeps half of the old state, and a bias that "
            "kept more would shut the new one out by as much."
        )
        return constant(parameter, role, 0.0, reason)
    if not is_forgetting:
        reason = (
            "Starts at 0: the cell's other bias, which is added to it, opens the "
            "forget gate."
        )
        return constant(parameter, role, 0.0, reason)
    reason = (
        "Starts at 0, the forget gate's units at 1: σ(1) = 0.73 of the state is kept a "
        "step, so gradients reach further back (Jozefowicz et al. 2015, section 3)."
    )
    written = constant(parameter, role, 0.0, reason)
    return replace(written, parts=forget_parts(role, FORGET_BIAS))
