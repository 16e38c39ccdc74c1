"""What one parameter gets under the policy "auto", from its role."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.graph.roles import Role, RoleKind
from fanin.prescription.by_hand import set_by_hand
from fanin.prescription.choosing.recurrent import cell_bias
from fanin.prescription.choosing.scans import laid_out
from fanin.prescription.fitted import norm_gain
from fanin.prescription.tables import BESIDE, CONSTANTS, FITTED, KEPT, SCALED, SUMMED
from fanin.prescription.write_down import (
    by_scheme,
    chosen,
    constant,
    kept,
    listed,
    offset_bias,
)

if TYPE_CHECKING:
    from fanin.graph.graph import Parameter
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

BY_HAND = (
    "Kept: set by hand, since no framework draws such values, and its weight is as it "
    "was drawn."
)


def by_role(desk: Desk, parameter: Parameter) -> Prescription:
    """Write down what one parameter gets."""
    role = desk.roles[parameter.path]
    if parameter.path in desk.left:
        alone = kept(parameter, role, desk.left[parameter.path])
        return replace(alone, is_asked=True)
    if not parameter.is_trainable:
        return kept(parameter, role, "Frozen: its present values stay.")
    if parameter.path in desk.weights and role.kind in SCALED | SUMMED:
        return _weight(desk, parameter, role)
    if role.kind is RoleKind.HEAD_BIAS:
        return _head_bias(desk, parameter, role)
    return _bias_or_value(desk, parameter, role)


def _bias_or_value(desk: Desk, parameter: Parameter, role: Role) -> Prescription:
    offset = desk.chooser.offsets.get(parameter.path)
    if offset is not None and desk.law is None:
        return offset_bias(parameter, role, offset, desk.weights[offset.weight])
    if role.kind is RoleKind.BIAS and role.slices:
        is_forgetting = parameter.path in desk.chooser.special.forgetting
        of_cell = cell_bias(parameter, role, is_forgetting=is_forgetting)
        if of_cell is not None:
            return of_cell
    return _value(desk, parameter, role)


def _weight(desk: Desk, parameter: Parameter, role: Role) -> Prescription:
    choice = desk.chooser.choices[parameter.path]
    if role.kind is RoleKind.HEAD:
        spread = desk.target.spread
        choice = replace(
            choice,
            std=choice.std * spread,
            gain=choice.gain * spread,
            target=choice.target * spread,
        )
    law = desk.law or choice.law
    if role.kind is RoleKind.RECURRENT:
        law = "orthogonal"
    written = chosen(parameter, role, desk.weights[parameter.path], choice, law)
    return written if desk.law else replace(written, mirrored=choice.mirrored)


def _value(desk: Desk, parameter: Parameter, role: Role) -> Prescription:
    """Write down what a parameter gets that is not the weight of a linear node."""
    if role.kind in FITTED:
        return _fitted(desk, parameter, role)
    if role.kind in CONSTANTS:
        value, reason = CONSTANTS[role.kind]
        return constant(parameter, role, value, reason)
    if role.kind in SUMMED or role.kind in BESIDE:
        return _table(desk, parameter, role)
    anew = laid_out(desk, parameter, role)
    return anew or kept(parameter, role, _kept_because(role))


def _head_bias(desk: Desk, parameter: Parameter, role: Role) -> Prescription:
    """Keep a prior that was set by hand, or start as the ignorant predictor."""
    if set_by_hand(desk, parameter):
        return kept(parameter, role, BY_HAND)
    if not desk.target.bias:
        return _bias_or_value(desk, parameter, role)
    if parameter.size != len(desk.target.bias):
        return constant(parameter, role, 0.0, "Starts at 0.")
    reason = f"Starts at {desk.target.text}."
    return listed(parameter, role, desk.target.bias, reason)


def _table(desk: Desk, parameter: Parameter, role: Role) -> Prescription:
    """Draw a table that is added, or a value that stands where activations do."""
    rows = desk.chooser.special.rows.get(parameter.path)
    if rows is None:
        reason = f"{BESIDE.get(role.kind, 'Added')}: as large as an activation, rms 1."
        return by_scheme(parameter, role, "normal(std=1)", None, reason)
    spec = f"normal(std={rows.std:.6g})"
    reason = " ".join(filter(None, (BESIDE.get(role.kind), rows.reason)))
    return by_scheme(parameter, role, spec, None, reason)


def _fitted(desk: Desk, parameter: Parameter, role: Role) -> Prescription:
    """Write down a number that depends on the node that uses the parameter."""
    node = None if role.node is None else desk.flow.nodes[role.node]
    if role.kind is RoleKind.NORM_GAIN:
        return norm_gain(parameter, role, node)
    return kept(parameter, role, "Kept, as the weight is whose length it sets.")


def _kept_because(role: Role) -> str:
    """Say why a parameter is left alone, and how it is read if that is not known."""
    reason = KEPT.get(role.kind, "Kept: no weight of a linear operation")
    return reason if reason.endswith(".") else f"{reason}: {role.evidence}."
