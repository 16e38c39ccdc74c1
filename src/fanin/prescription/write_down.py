"""Prescriptions written down: one function for each way to fill a parameter."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError, ShapeError
from fanin.graph.fans import Fan
from fanin.prescription.prescription import KEEP, OFFSET, VALUES, Prescription
from fanin.schemes import find_scheme

if TYPE_CHECKING:
    from fanin.graph.graph import Parameter, Weight
    from fanin.graph.roles import Role
    from fanin.prescription.choosing.choices import Choice, Offset

LAW_NAMES = {"normal": "normal", "uniform": "uniform", "truncated_normal": "truncated"}
WEIGHT_LAWS = (*LAW_NAMES, "orthogonal")


def kept(parameter: Parameter, role: Role, reason: str) -> Prescription:
    """Leave a parameter's values as they are."""
    return Prescription(
        path=parameter.path,
        shape=parameter.shape,
        dtype=parameter.dtype,
        role=str(role.kind),
        scheme=KEEP,
        law=KEEP,
        reason=reason,
    )


def constant(
    parameter: Parameter, role: Role, value: float, reason: str
) -> Prescription:
    """Fill a parameter with one number.

    >>> from fanin.graph.graph import Parameter
    >>> from fanin.graph.roles import Role, RoleKind
    >>> bias = Parameter(path="0.bias", shape=(3,), dtype="float32")
    >>> role = Role(kind=RoleKind.BIAS, evidence="")
    >>> constant(bias, role, 0.0, "Starts at 0.").scheme
    'zeros'
    """
    named = {0.0: "zeros", 1.0: "ones"}
    return Prescription(
        path=parameter.path,
        shape=parameter.shape,
        dtype=parameter.dtype,
        role=str(role.kind),
        scheme=named.get(value, f"constant({value:.6g})"),
        law="constant",
        value=value,
        reason=reason,
    )


def listed(
    parameter: Parameter, role: Role, values: tuple[float, ...], reason: str
) -> Prescription:
    """Write every entry of a small parameter down.

    Raises:
        ShapeError: if there are not as many values as entries.
    """
    if len(values) != parameter.size:
        raise ShapeError.of(parameter.path, parameter.shape, (len(values),))
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return Prescription(
        path=parameter.path,
        shape=parameter.shape,
        dtype=parameter.dtype,
        role=str(role.kind),
        scheme=VALUES,
        law=VALUES,
        values=values,
        value=mean,
        std=sqrt(variance),
        reason=reason,
    )


def chosen(
    parameter: Parameter, role: Role, weight: Weight, choice: Choice, law: str
) -> Prescription:
    """Draw a weight with the std that the policy chose, from the law asked for."""
    is_matrix = law == "orthogonal" and not weight.roles.is_lookup
    return Prescription(
        path=parameter.path,
        shape=parameter.shape,
        dtype=parameter.dtype,
        role=str(role.kind),
        scheme=scheme_name(choice, law if is_matrix or law in LAW_NAMES else "normal"),
        law=law if is_matrix or law in LAW_NAMES else "normal",
        std=choice.std,
        gain=choice.gain,
        fan=weight.fan,
        roles=weight.roles,
        target=choice.target if choice.is_calibrated else None,
        n_blocks=choice.n_blocks if is_matrix else 1,
        parts=choice.parts,
        reason=choice.reason,
    )


def offset_bias(
    parameter: Parameter, role: Role, offset: Offset, weight: Weight
) -> Prescription:
    """Let a bias follow its weight, so that the layer computes W(x − value).

    Its std, |value|·σ_w·√n_in, is written when the weight's is known (`with_offsets`).
    """
    return Prescription(
        path=parameter.path,
        shape=parameter.shape,
        dtype=parameter.dtype,
        role=str(role.kind),
        scheme=OFFSET,
        law=OFFSET,
        value=offset.value,
        weight=offset.weight,
        roles=weight.roles,
        reason=offset.reason,
    )


def scheme_name(choice: Choice, law: str) -> str:
    """Give the spec under which a reader finds the scheme: "he_uniform".

    The gain is named where it is not the one in the scheme's source.
    """
    if law == "orthogonal":
        return "orthogonal"
    if choice.scheme == "normal":
        short = {"truncated_normal": "truncated_normal"}.get(law, law)
        return f"{short}(std={choice.std:.4g})"
    name = f"{choice.scheme}_{LAW_NAMES[law]}"
    is_plain = abs(find_scheme(name).gain - choice.gain) <= 1e-6 * choice.gain
    return name if is_plain else f"{name}(gain={choice.gain:.4g})"


def by_scheme(
    parameter: Parameter, role: Role, spec: str, weight: Weight | None, reason: str
) -> Prescription:
    """Fill a parameter by a scheme that the caller named, with the scheme's own gain.

    Raises:
        ArgumentError: if the scheme speaks of fans and the parameter has none.
        UnknownNameError: if there is no such scheme.
    """
    if spec == KEEP:
        return kept(parameter, role, reason)
    scheme = find_scheme(spec)
    if scheme.law == "constant":
        return constant(parameter, role, scheme.value, reason)
    is_fan_free = scheme.std(Fan(n_in=2.0, n_out=3.0)) == scheme.std(
        Fan(n_in=5.0, n_out=7.0)
    )
    if weight is None and not is_fan_free:
        expected = (
            f"a scheme without fans, such as 'normal(std=0.02)', for "
            f"{parameter.path!r}, which is not the weight of a linear operation"
        )
        raise ArgumentError.of(argument="scheme", received=spec, expected=expected)
    fan = (
        Fan(n_in=1.0, n_out=1.0)
        if weight is None
        else scheme.fan_of(parameter.shape, weight.roles)
    )
    return Prescription(
        path=parameter.path,
        shape=parameter.shape,
        dtype=parameter.dtype,
        role=str(role.kind),
        scheme=scheme.spec,
        law=scheme.law,
        std=float(scheme.std(fan)),
        value=scheme.value,
        gain=None if is_fan_free else scheme.gain,
        fan=None if weight is None else weight.fan,
        roles=None if weight is None else weight.roles,
        reason=reason,
    )


def matrix_gain(prescription: Prescription) -> float:
    """Give the singular value of a matrix law of that std: their ratio at gain 1.

    The n·m entries of an orthogonal matrix hold min(n, m) unit vectors, so that
    std = gain/√max(n, m); the schemes of the same names know it of every law.
    """
    if prescription.roles is None:
        return prescription.gain or 1.0
    scheme = find_scheme(prescription.law)
    sides = scheme.fan_of(prescription.shape, prescription.roles)
    return prescription.std / float(scheme.std(sides, 1.0))
