"""What Keras's own layers would set, in any framework, by what each weight does.

Weights Glorot uniform, biases 0, recurrent matrices orthogonal, biases of forget gates
1, embeddings U(±0.05), normalizations 1 and 0. In a Keras model the fans are those
that Keras reads off a convolution's shape, which for depthwise kernels are not the
layer's; elsewhere they are the layer's, without strides. Glorot suits activations of
slope 1 at 0; through ReLUs it halves the second moment a layer. As a baseline, and for
models whose results were reported with it.
What no layer of Keras's holds is as under "auto".
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from fanin.graph.fans import Fan, matrix_fans
from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind
from fanin.prescription.choosing.cells import forget_parts
from fanin.prescription.recipes.drawn import (
    as_scheme,
    drawn,
    glorot_std,
    of_kinds,
    open_weights,
    set_to,
    std_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Parameter, Weight
    from fanin.graph.roles import Role
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "keras"
SUMMARY = (
    "Keras's own layers: Glorot uniform, orthogonal recurrence, biases 0, forget 1."
)
SOURCE = "Keras 3.15, defaults of Dense, BaseConv, Embedding, LSTM; compute_fans"

EMBEDDING_BOUND = 0.05


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide weights, embeddings and biases."""
    written = {
        parameter.path: _weight(desk, parameter, role, weight)
        for parameter, role, weight in open_weights(desk)
    }
    for parameter, role in of_kinds(desk, RoleKind.BIAS, RoleKind.HEAD_BIAS):
        written[parameter.path] = _bias(desk, parameter, role)
    return written


def _weight(
    desk: Desk, parameter: Parameter, role: Role, weight: Weight
) -> Prescription:
    if weight.roles.is_lookup:
        reason = "Embedding: U(±0.05)."
        std = std_of(EMBEDDING_BOUND)
        return drawn(desk, parameter, std, reason, law="uniform")
    if role.kind is RoleKind.RECURRENT:
        return as_scheme(desk, parameter, "orthogonal", "Recurrent: orthogonal.")
    fan = keras_fans(desk.graph.framework, parameter.shape, weight)
    reason = f"Glorot uniform over {fan.n_in:.0f} and {fan.n_out:.0f}."
    return drawn(desk, parameter, glorot_std(fan), reason, law="uniform")


def _bias(desk: Desk, parameter: Parameter, role: Role) -> Prescription:
    """Give 0, or 1 to forget gates; of a cell's two biases only the input's has it."""
    plain = set_to(desk, parameter, 0.0, "Starts at 0.")
    parts = forget_parts(role, 1.0)
    if not parts or _is_second(desk, role):
        return plain
    reason = "Starts at 0; the forget gate's at 1, so that cells remember."
    return replace(plain, parts=parts, reason=reason)


def _is_second(desk: Desk, role: Role) -> bool:
    """Say whether a bias is a recurrent weight's, where the input's has one too."""
    node = None if role.node is None else desk.flow.nodes[role.node]
    if node is None or node.op is not Op.LINEAR or node.weight is None:
        return False
    path = desk.graph.parameter(node.weight.path).path
    if desk.roles[path].kind is not RoleKind.RECURRENT:
        return False
    sums = {reader.id for reader in desk.flow.after(node.id)}
    others = (n for n in desk.graph.linears if n.id != node.id and n.bias is not None)
    return any(
        sums & {reader.id for reader in desk.flow.after(other.id)} for other in others
    )


def keras_fans(framework: str, shape: tuple[int, ...], weight: Weight) -> Fan[float]:
    """Give the fans that Keras's layer would compute for the weight.

    >>> from fanin.graph.graph import Weight
    >>> from fanin.graph.layouts import torch_linear
    >>> dense = Weight(path="w", roles=torch_linear(), fan=Fan(n_in=8, n_out=2))
    >>> keras_fans("torch", (2, 8), dense)
    Fan(n_in=8.0, n_out=2.0)
    """
    if framework == "keras" and weight.roles.kernel:
        window = prod(shape[:-2])
        return Fan(n_in=float(shape[-2] * window), n_out=float(shape[-1] * window))
    roles, matrix = weight.roles, matrix_fans(shape, weight.roles)
    window = prod(shape[axis] for axis in roles.kernel)
    groups = roles.groups if roles.kernel else 1
    return Fan(n_in=matrix.n_in, n_out=matrix.n_out * window * groups)
