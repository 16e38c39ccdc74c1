"""What PyTorch's own layers would set, in any framework, by what each weight does.

Dense and convolution weights and their biases U(±1/√n), n the terms of one output as
PyTorch counts them (of a transposed convolution those of one input, without the
stride); embeddings N(0, 1); weights and biases of recurrent cells U(±1/√units);
projections held by a multi-head attention layer Glorot uniform over the fused weight,
their biases and the output's 0; normalizations 1 and 0. This keeps a third of the
second moment from layer to layer (a sixth through a ReLU), whatever the activation: as
a baseline to compare with, and for models whose results were reported with it. What no
layer of PyTorch's holds (tables, tokens, factors) is as under "auto".
"""

from __future__ import annotations

from math import prod, sqrt
from typing import TYPE_CHECKING

from fanin.graph.fans import matrix_fans
from fanin.graph.graph import Op
from fanin.graph.layouts import torch_bilinear
from fanin.graph.roles import RoleKind
from fanin.prescription.choosing.cells import cell_sizes
from fanin.prescription.recipes.drawn import (
    drawn,
    glorot_std,
    of_kinds,
    open_weights,
    set_to,
    std_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Node, Parameter, Weight
    from fanin.graph.roles import Role
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "torch"
SUMMARY = (
    "PyTorch's own layers: U(±1/√fan_in), embeddings N(0, 1), Glorot in attention."
)
SOURCE = "PyTorch 2.13, reset_parameters of Linear, _ConvNd, Embedding, RNNBase, "
SOURCE += "MultiheadAttention"

_SIDES = frozenset({RoleKind.QUERY, RoleKind.KEY, RoleKind.VALUE, RoleKind.QKV})
_BIASES = (RoleKind.BIAS, RoleKind.HEAD_BIAS)
_BILINEAR = torch_bilinear()


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide the weights and biases of linear operations, and embeddings."""
    cells = cell_sizes(desk.graph)
    written = {
        parameter.path: _weight(desk, parameter, role, cells)
        for parameter, role, _ in open_weights(desk)
    }
    for parameter, role in of_kinds(desk, *_BIASES):
        node = None if role.node is None else desk.flow.nodes[role.node]
        if node is not None and node.op is Op.LINEAR and node.weight is not None:
            written[parameter.path] = _bias(desk, parameter, node, cells)
    return written


def _weight(
    desk: Desk, parameter: Parameter, role: Role, cells: Mapping[str, int]
) -> Prescription:
    weight = desk.weights[parameter.path]
    if weight.roles.is_lookup:
        return drawn(desk, parameter, 1.0, "Embedding: N(0, 1).")
    if parameter.path in cells:
        bound = 1.0 / sqrt(cells[parameter.path])
        reason = f"Recurrent cell: U(±1/√{cells[parameter.path]})."
    elif role.kind in _SIDES and _is_attention(parameter):
        sides = matrix_fans(parameter.shape, weight.roles)
        reason = "Projection of multi-head attention: Glorot over the whole weight."
        return drawn(desk, parameter, glorot_std(sides), reason, law="uniform")
    else:
        n = torch_fan_in(parameter.shape, weight)
        bound, reason = 1.0 / sqrt(n), f"U(±1/√{n:.0f})."
    return drawn(desk, parameter, std_of(bound), reason, law="uniform")


def _bias(
    desk: Desk, parameter: Parameter, node: Node, cells: Mapping[str, int]
) -> Prescription:
    path = "" if node.weight is None else node.weight.path
    held = desk.graph.parameter(path)
    if parameter.path in cells:
        n = float(cells[parameter.path])
    elif _is_attention(parameter) or _is_attention_output(held):
        return set_to(desk, parameter, 0.0, "Bias of multi-head attention: 0.")
    else:
        n = torch_fan_in(held.shape, desk.weights[held.path])
    bound = 1.0 / sqrt(n)
    reason = f"U(±1/√{n:.0f}), as its weight."
    return drawn(desk, parameter, std_of(bound), reason, law="uniform")


def _is_attention(parameter: Parameter) -> bool:
    """Say whether an attention layer holds a parameter itself."""
    return "Attention" in parameter.owner


def _is_attention_output(parameter: Parameter) -> bool:
    """Say whether it is the layer that PyTorch's attention has for its output."""
    return parameter.owner == "NonDynamicallyQuantizableLinear"


def torch_fan_in(shape: tuple[int, ...], weight: Weight) -> float:
    """Give PyTorch's fan_in: the second axis of its layout times the kernel.

    Of a transposed convolution that axis holds the outputs of one group; of a bilinear
    weight, the features of the first input alone, which its layer uses.

    >>> from fanin.graph.fans import AxisRoles, Fan
    >>> from fanin.graph.graph import Weight
    >>> roles = AxisRoles(inputs=(0,), outputs=(1,), kernel=(2,), is_transposed=True)
    >>> torch_fan_in((6, 4, 3), Weight(path="w", roles=roles, fan=Fan(n_in=1, n_out=1)))
    12.0
    """
    roles = weight.roles
    if roles.is_transposed:
        n_outputs = prod(shape[axis] for axis in roles.outputs)
        per_group = n_outputs // roles.groups if roles.has_all_outputs else n_outputs
        return float(per_group * prod(shape[axis] for axis in roles.kernel))
    if len(shape) == 3 and roles == _BILINEAR and not roles.kernel:
        return float(shape[1])
    return matrix_fans(shape, roles).n_in
