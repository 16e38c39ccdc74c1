"""Numbers for parameters whose right value depends on how they are used."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.prescription.write_down import constant

if TYPE_CHECKING:
    from fanin.graph.graph import Node, Parameter
    from fanin.graph.roles import Role
    from fanin.prescription.prescription import Prescription


def norm_gain(parameter: Parameter, role: Role, node: Node | None) -> Prescription:
    """Let a normalization's gain be 1, through whatever is done to the parameter.

    Some models multiply by ``factor·w + offset`` (Gemma by 1 + w): w = (1 − offset) /
    factor.

    >>> from fanin.graph.graph import Node, Op, Parameter
    >>> from fanin.graph.roles import Role, RoleKind
    >>> gain = Parameter(path="norm.weight", shape=(3,), dtype="float32")
    >>> node = Node(id=1, op=Op.NORMALIZE, shape=(2, 3), details={"gain_offset": 1.0})
    >>> norm_gain(gain, Role(kind=RoleKind.NORM_GAIN, evidence=""), node).value
    0.0
    """
    details = {} if node is None else node.details
    offset, factor = details.get("gain_offset", 0.0), details.get("gain_factor", 1.0)
    if not isinstance(offset, float | int) or not isinstance(factor, float | int):
        offset, factor = 0.0, 1.0
    value = (1.0 - offset) / factor if factor else 1.0
    if value == 1.0:
        reason = "Starts at 1: the normalized size is left as it is."
    else:
        reason = (
            f"Starts at {value:.4g}: the gain is {factor:.4g}·w + {offset:.4g}, which "
            "is 1 then, and the normalized size is left as it is."
        )
    return constant(parameter, role, value, reason)


def weight_length(
    parameter: Parameter, role: Role, weight: Prescription
) -> Prescription:
    """Give g of g·v/‖v‖ the length that a unit's weights have at the std chosen.

    A unit's n weights of that std have the length std·√n; v only sets their direction
    (Salimans & Kingma 2016, eq. 2).

    >>> from fanin.graph.graph import Parameter
    >>> from fanin.graph.roles import Role, RoleKind
    >>> from fanin.prescription.prescription import Prescription
    >>> v = Prescription(
    ...     path="v",
    ...     shape=(4, 25),
    ...     dtype="float32",
    ...     role="hidden",
    ...     scheme="he_normal",
    ...     law="normal",
    ...     std=0.2,
    ...     reason="",
    ... )
    >>> g = Parameter(path="g", shape=(4, 1), dtype="float32")
    >>> weight_length(g, Role(kind=RoleKind.WEIGHT_LENGTH, evidence=""), v).value
    1.0
    """
    n_weights = weight.size / parameter.size
    value = weight.std * sqrt(n_weights)
    reason = (
        f"The length of {n_weights:.0f} weights of std {weight.std:.4g}, the right one "
        f"for {weight.path}, which sets only their direction."
    )
    return constant(parameter, role, value, reason)
