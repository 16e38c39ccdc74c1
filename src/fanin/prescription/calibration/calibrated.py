"""What calibration asks of a Plan, and the Plan with what calibration found."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

from fanin.errors import SignalError, UnknownParameterError
from fanin.prescription.prescription import OFFSET, VALUES, Prescription

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph
    from fanin.prescription.plan import Plan


def calibration_targets(plan: Plan, graph: Graph) -> Mapping[str, float]:
    """Give the root mean square that each linear output should have, by path.

    For one forward pass in which each linear output is rescaled as it comes
    (``Framework.calibrate``). The path is that of the weight, or of the parameter that
    alone sets the weight's size (weight norm). What is kept, 0 or without a target is
    left out, and so are weights that no linear node of ``graph`` reads.
    """
    written = {p.path: p for p in plan.prescriptions}
    targets: dict[str, float] = {}
    for node in graph.linears:
        if node.weight is None:
            continue
        length = node.details.get("length")
        path = length if isinstance(length, str) else node.weight.path
        p = written[graph.parameter(path).path]
        is_drawn = not p.is_kept and (p.std > 0.0 or p.value != 0.0)
        if p.target is not None and is_drawn:
            targets.setdefault(p.path, p.target)
    return targets


def calibration_followers(plan: Plan) -> Mapping[str, str]:
    """Give the biases that follow a weight, by the weight's path."""
    return {
        p.weight: p.path
        for p in plan.prescriptions
        if p.law == OFFSET and p.weight is not None
    }


def with_factors(plan: Plan, factors: Mapping[str, float]) -> Plan:
    """Give the plan with these parameters, and what follows them, multiplied.

    Raises:
        UnknownParameterError: if the plan has no such parameter.
        SignalError: if a factor is 0 or not finite: no factor helps there.
    """
    known = {p.path for p in plan.prescriptions}
    for path in factors:
        if path not in known:
            raise UnknownParameterError.of(path, known)
    lost = [path for path, f in factors.items() if not (isfinite(f) and f > 0.0)]
    if lost:
        raise SignalError.of(lost, "constant or not finite")
    changed = (
        scaled(p, factors.get(p.weight or p.path, 1.0)) for p in plan.prescriptions
    )
    return replace(plan, prescriptions=tuple(changed), is_calibrated=True)


def scaled(prescription: Prescription, factor: float) -> Prescription:
    """Multiply what is drawn or set; of an offset, the weight that it follows.

    >>> scaled(
    ...     Prescription(
    ...         path="w",
    ...         shape=(2, 3),
    ...         dtype="float32",
    ...         role="",
    ...         scheme="normal",
    ...         law="normal",
    ...         reason="",
    ...         std=0.5,
    ...         gain=1.0,
    ...     ),
    ...     4.0,
    ... ).gain
    4.0
    """
    p = prescription
    if factor == 1.0 or p.is_kept:
        return p
    has_value = p.law in {"constant", VALUES}
    is_constant = p.law == "constant" and p.value != 0.0
    return replace(
        p,
        scheme=f"constant({p.value * factor:.6g})" if is_constant else p.scheme,
        std=p.std * factor,
        gain=None if p.gain is None else p.gain * factor,
        factor=p.factor * factor,
        value=p.value * factor if has_value else p.value,
        values=tuple(value * factor for value in p.values),
        centre=tuple(value * factor for value in p.centre),
    )
