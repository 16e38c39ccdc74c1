"""What Flax's own layers (NNX and Linen) would set, in any framework.

Weights LeCun normal, cut at two standard deviations; biases 0; recurrent matrices
orthogonal; embeddings N(0, 1/d); normalizations 1 and 0. LeCun keeps the second moment
through linear layers, and halves it through a ReLU. As a baseline, and for models whose
results were reported with it. What no layer of Flax's holds is as under "auto".
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.fans import matrix_fans
from fanin.graph.roles import RoleKind
from fanin.prescription.recipes.drawn import (
    as_scheme,
    drawn,
    of_kinds,
    open_weights,
    set_to,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Parameter, Weight
    from fanin.graph.roles import Role
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "flax"
SUMMARY = "Flax's own layers: LeCun (cut normal), orthogonal recurrence, biases 0."
SOURCE = "Flax 0.12, defaults of Linear, Conv, Embed, LSTMCell; jax.nn.initializers"


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide weights, embeddings and biases."""
    written = {
        parameter.path: _weight(desk, parameter, role, weight)
        for parameter, role, weight in open_weights(desk)
    }
    for parameter, _ in of_kinds(desk, RoleKind.BIAS, RoleKind.HEAD_BIAS):
        written[parameter.path] = set_to(desk, parameter, 0.0, "Starts at 0.")
    return written


def _weight(
    desk: Desk, parameter: Parameter, role: Role, weight: Weight
) -> Prescription:
    if weight.roles.is_lookup:
        n_units = weight.fan.n_out
        reason = f"Embedding: N(0, 1/{n_units:.0f})."
        return drawn(desk, parameter, 1.0 / sqrt(n_units), reason)
    if role.kind is RoleKind.RECURRENT:
        return as_scheme(desk, parameter, "orthogonal", "Recurrent: orthogonal.")
    n_in = matrix_fans(parameter.shape, weight.roles).n_in
    reason = f"LeCun over {n_in:.0f} inputs."
    return drawn(desk, parameter, 1.0 / sqrt(n_in), reason, law="truncated_normal")
