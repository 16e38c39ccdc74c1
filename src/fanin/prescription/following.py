"""What follows a weight: lengths and offsets, written when its std is known."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.roles import RoleKind
from fanin.prescription.fitted import weight_length
from fanin.prescription.prescription import OFFSET

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription


def with_followers(
    desk: Desk, written: Mapping[str, Prescription], *, fixed: Container[str]
) -> dict[str, Prescription]:
    """Give the prescriptions with lengths and offsets that fit their weights.

    Args:
        desk: where the graph and the roles are.
        written: every prescription, with stds that will change no more.
        fixed: paths that the caller has decided.
    """
    done = dict(written)
    for path, prescription in written.items():
        if prescription.law == OFFSET:
            done[path] = _offset(prescription, written)
        elif desk.roles[path].kind is RoleKind.WEIGHT_LENGTH and path not in fixed:
            done[path] = _length(desk, prescription, written)
    return done


def _offset(bias: Prescription, written: Mapping[str, Prescription]) -> Prescription:
    """Give the bias the std of value·(sum of a row): |value|·σ_w·√n for n terms."""
    weight = written[bias.weight or ""]
    return replace(
        bias, std=abs(bias.value) * weight.std * sqrt(weight.size / bias.size)
    )


def _length(
    desk: Desk, length: Prescription, written: Mapping[str, Prescription]
) -> Prescription:
    """Give g of g·v/‖v‖ (weight norm) the length of a unit's weights.

    One that the policy has decided stays as it is.
    """
    role = desk.roles[length.path]
    node = None if role.node is None else desk.flow.nodes[role.node]
    parameter = desk.graph.parameter(length.path)
    is_decided = not length.is_kept or not desk.is_open(parameter)
    if node is None or node.weight is None or is_decided:
        return length
    weight = written[desk.graph.parameter(node.weight.path).path]
    if weight.std == 0.0:
        return length
    return replace(weight_length(parameter, role, weight), target=weight.target)
