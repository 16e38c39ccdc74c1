"""Prescriptions of the published policies: a law with a std of their own.

Nothing here is calibrated: a published scheme is drawn as it was published. Of a fused
weight each slice gets the std that it would have as a weight of its own.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.fans import Fan
from fanin.prescription.prescription import Part, Prescription
from fanin.prescription.tables import SCALED
from fanin.prescription.write_down import by_scheme, constant
from fanin.schemes import find_scheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fanin.graph.graph import Parameter, Weight
    from fanin.graph.roles import Role, RoleKind
    from fanin.prescription.desk import Desk


def open_weights(desk: Desk) -> Iterator[tuple[Parameter, Role, Weight]]:
    """Yield the weights that a policy may draw, in the model's order.

    Tables of positions, step sizes and the like are left out: see ``tables.py``.
    """
    for parameter in desk.graph.parameters:
        role = desk.roles[parameter.path]
        is_drawn = parameter.path in desk.weights and role.kind in SCALED
        if is_drawn and desk.is_open(parameter):
            yield parameter, role, desk.weights[parameter.path]


def of_kinds(desk: Desk, *kinds: RoleKind) -> Iterator[tuple[Parameter, Role]]:
    """Yield the open parameters of these kinds, in the model's order."""
    for parameter in desk.graph.parameters:
        role = desk.roles[parameter.path]
        if role.kind in kinds and desk.is_open(parameter):
            yield parameter, role


def drawn(
    desk: Desk,
    parameter: Parameter,
    std: float,
    reason: str,
    *,
    law: str = "normal",
    parts: tuple[Part, ...] = (),
) -> Prescription:
    """Draw a parameter with that std, from the caller's law or else the policy's.

    Args:
        desk: where the caller's law is.
        parameter: to be filled.
        std: of an entry, in the parameter's unit; 0 fills it with zeros.
        reason: one or two sentences.
        law: "normal", "uniform", "truncated_normal" or "orthogonal".
        parts: units with a factor of their own.
    """
    role = desk.roles[parameter.path]
    if std == 0.0 and not parts:
        return constant(parameter, role, 0.0, reason)
    weight = desk.weights.get(parameter.path)
    wanted = (desk.law or law) if weight is not None else law
    is_matrix = weight is not None and not weight.roles.is_lookup
    if wanted == "orthogonal" and not is_matrix:
        wanted = "normal"
    return Prescription(
        path=parameter.path,
        shape=parameter.shape,
        dtype=parameter.dtype,
        role=str(role.kind),
        scheme=_name(wanted, std),
        law=wanted,
        std=std,
        fan=None if weight is None else weight.fan,
        roles=None if weight is None else weight.roles,
        parts=parts,
        reason=reason,
    )


def _name(law: str, std: float) -> str:
    if law == "orthogonal":
        return law
    return (
        f"uniform(bound={bound_of(std):.6g})"
        if law == "uniform"
        else (f"{law}(std={std:.6g})")
    )


def bound_of(std: float) -> float:
    """√3·std: U(−bound, bound) has variance bound²/3.

    >>> round(bound_of(1.0) ** 2, 12)
    3.0
    """
    return sqrt(3.0) * std


def std_of(bound: float) -> float:
    """bound/√3: of U(−bound, bound).

    >>> round(std_of(3.0) ** 2, 12)
    3.0
    """
    return bound / sqrt(3.0)


def by_slice(
    role: Role, weight: Weight, std_of_slice: Callable[[Fan[float], RoleKind], float]
) -> tuple[float, tuple[Part, ...]]:
    """Give the std of a weight, and a factor for each slice with another one.

    Args:
        role: with the slices, if the weight is fused.
        weight: with its fan; a slice has fewer outputs.
        std_of_slice: fan and kind of a slice (or of the whole weight) → its std.

    >>> from fanin.graph.fans import AxisRoles
    >>> from fanin.graph.graph import Weight
    >>> from fanin.graph.roles import Role, RoleKind, RoleSlice
    >>> query = RoleSlice(kind=RoleKind.QUERY, start=0, size=4, period=8)
    >>> value = RoleSlice(kind=RoleKind.VALUE, start=4, size=4, period=8)
    >>> role = Role(kind=RoleKind.QKV, evidence="", slices=(query, value))
    >>> weight = Weight(
    ...     path="w",
    ...     roles=AxisRoles(outputs=(0,), inputs=(1,)),
    ...     fan=Fan(n_in=4.0, n_out=8.0),
    ... )
    >>> std, parts = by_slice(
    ...     role, weight, lambda fan, kind: fan.n_out * (1 + (kind is RoleKind.VALUE))
    ... )
    >>> std, [(part.kind, part.factor) for part in parts]
    (4.0, [('value', 2.0)])
    """
    if not role.slices:
        return std_of_slice(weight.fan, role.kind), ()
    stds = [
        std_of_slice(_fan_of(weight.fan, piece.size / piece.period), piece.kind)
        for piece in role.slices
    ]
    first = next((std for std in stds if std > 0.0), 0.0)
    if first == 0.0:
        return 0.0, ()
    parts = tuple(
        Part.of(piece, factor=std / first)
        for piece, std in zip(role.slices, stds, strict=True)
        if std != first
    )
    return first, parts


def _fan_of(fan: Fan[float], share: float) -> Fan[float]:
    """Give the fan of a slice that holds a share of the outputs."""
    return Fan(n_in=fan.n_in, n_out=fan.n_out * share)


def glorot_std(fan: Fan[float], gain: float = 1.0) -> float:
    """Give gain·√(2/(fan_in + fan_out)) (Glorot & Bengio 2010, equation 12).

    >>> glorot_std(Fan(n_in=150.0, n_out=50.0))
    0.1
    """
    return float(find_scheme("glorot_normal").std(fan, gain))


def he_std(fan: Fan[float], gain: float = 1.0) -> float:
    """Give gain·√(2/fan_in) (He et al. 2015, equation 10).

    >>> he_std(Fan(n_in=50.0, n_out=16.0))
    0.2
    """
    scheme = find_scheme("he_normal")
    return gain * float(scheme.std(fan))


def zeros(desk: Desk, parameter: Parameter, reason: str) -> Prescription:
    """Fill a parameter with zeros."""
    return constant(parameter, desk.roles[parameter.path], 0.0, reason)


def set_to(desk: Desk, parameter: Parameter, value: float, reason: str) -> Prescription:
    """Fill a parameter with one number."""
    return constant(parameter, desk.roles[parameter.path], value, reason)


def as_scheme(desk: Desk, parameter: Parameter, spec: str, reason: str) -> Prescription:
    """Fill a parameter by a scheme with the scheme's own gain."""
    weight = desk.weights.get(parameter.path)
    return by_scheme(parameter, desk.roles[parameter.path], spec, weight, reason)


def resized(prescription: Prescription, factor: float, reason: str) -> Prescription:
    """Multiply what "auto" prescribes by a factor: std, gain and target alike."""
    if factor == 1.0 or prescription.std == 0.0:
        return prescription
    gain, target = prescription.gain, prescription.target
    scaled = None if gain is None else gain * factor
    name = prescription.scheme.partition("(")[0]
    return replace(
        prescription,
        std=prescription.std * factor,
        gain=scaled,
        target=None if target is None else target * factor,
        scheme=name
        if scaled is None or name == "orthogonal"
        else f"{name}(gain={scaled:.4g})",
        reason=f"{prescription.reason} {reason}",
    )
