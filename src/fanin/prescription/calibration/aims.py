"""What calibration should make of each output, and the Plan with what it found.

Heads that the policy "auto" chose are centred: their bias takes off the mean over the
batch of what the weight gives, and the weight is scaled so that the standard deviation
over samples, and not the root mean square, is the target (Salimans & Kingma 2016,
"Weight Normalization", section 3, for every layer). Behind pooled ReLUs nearly all of
the square is one constant that samples share, and would starve what tells them apart.
Other layers are centred where that constant is more than unrelated samples share
behind ReLU, E[relu]²/E[relu²] = 1/π: there, samples have become alike. In a net of
streams or products that normalizes nowhere (``choosing/unnormalized.py``), 1/π is too
much: a branch hands to the stream what samples share, and the next one reads it and
makes them more alike yet. There all is taken off that is more than chance, which leaves
1/N of the square to the mean of N unrelated samples.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.calibration import Aim
from fanin.graph.flow import Flow
from fanin.graph.roles import RoleKind
from fanin.prescription.calibration.calibrated import (
    calibration_followers,
    calibration_targets,
    with_factors,
)
from fanin.prescription.choosing.unnormalized import is_unnormalized
from fanin.prescription.prescription import VALUES, Prescription

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.calibration import Calibration
    from fanin.graph.graph import Graph, Node
    from fanin.prescription.plan import Plan

CENTRED: Final = {RoleKind.HEAD_BIAS: 0.0, RoleKind.BIAS: 0.35}
"""Roles of biases that centre what they are added to, under the policy "auto", and the
share of its mean square that samples must share for it."""
LEAST_SAMPLES: Final = 8
"""Samples from which on a mean over the batch is worth taking off."""
BY_CHANCE: Final = 1.0 / LEAST_SAMPLES
"""Share of the mean square that the mean of so many unrelated samples holds."""
MOST_UNITS: Final = 4096
"""Units of an output whose means are written into a plan, at most."""
MOST_RMS: Final = 1.0
"""Root mean square of an output before it is centred, at most."""


def calibration_aims(plan: Plan, graph: Graph) -> dict[str, Aim]:
    """Give what each linear output should be, by path, for ``Framework.calibrate``."""
    followers = calibration_followers(plan)
    centred = centred_biases(plan, graph)
    shared = dict(CENTRED)
    if centred and is_unnormalized(Flow(graph)):
        shared[RoleKind.BIAS] = BY_CHANCE
    written = {p.path: p for p in plan.prescriptions}
    return {
        path: Aim(
            size=target,
            follower=followers.get(path),
            n_centred=written[centred[path]].size if path in centred else 0,
            **_limits(written[centred[path]], shared) if path in centred else {},
        )
        for path, target in calibration_targets(plan, graph).items()
    }


def _limits(bias: Prescription, shared: Mapping[RoleKind, float]) -> dict[str, float]:
    """Give from when an output is centred, and what bounds a head before it is."""
    limits = {"least_shared": shared[RoleKind(bias.role)]}
    if bias.role == RoleKind.HEAD_BIAS:
        limits["most"] = MOST_RMS
    return limits


def centred_biases(plan: Plan, graph: Graph) -> dict[str, str]:
    """Give the biases that will centre an output, by the path of its weight.

    Only those that nobody asked for, that serve one use of one weight, and where the
    batch has `LEAST_SAMPLES` or more.
    """
    if plan.policy != "auto":
        return {}
    written = {p.path: p for p in plan.prescriptions}
    uses = Counter(node.weight.path for node in graph.linears if node.weight)
    biased = Counter(node.bias for node in graph.nodes if node.bias)
    return {
        graph.parameter(node.weight.path).path: graph.parameter(node.bias).path
        for node in graph.linears
        if node.weight
        and node.bias
        and uses[node.weight.path] == biased[node.bias] == 1
        and _may_centre(written[graph.parameter(node.bias).path], node)
    }


def _may_centre(bias: Prescription, node: Node) -> bool:
    has_samples = (
        node.batch_axis is not None and node.shape[node.batch_axis] >= LEAST_SAMPLES
    )
    n_units = 0 if node.unit_axis is None else node.shape[node.unit_axis]
    is_free = bias.law in {"constant", VALUES} and not bias.is_asked and not bias.parts
    is_fitting = bias.size == n_units <= MOST_UNITS
    return has_samples and is_fitting and is_free and bias.role in CENTRED


def with_calibration(plan: Plan, found: Calibration, graph: Graph) -> Plan:
    """Give the plan with the factors, and the biases that centre.

    Raises:
        UnknownParameterError: if the plan has no such parameter.
        SignalError: if a factor is 0 or not finite.
    """
    scaled = with_factors(plan, found.factors)
    centres = {
        bias: found.centres[weight]
        for weight, bias in centred_biases(plan, graph).items()
        if np.any(found.centres.get(weight, 0.0))
    }
    changed = (_centred(p, centres) for p in scaled.prescriptions)
    return replace(scaled, prescriptions=tuple(changed))


def _centred(p: Prescription, centres: Mapping[str, np.ndarray]) -> Prescription:
    """Take the mean of each output off its bias."""
    if p.path not in centres:
        return p
    prior = np.array(p.values or (p.value,) * p.size)
    centre = -np.asarray(centres[p.path], dtype=np.float64)
    values = prior + centre
    reason = (
        "Takes off what all samples share, the mean of each output over the batch, so "
        "that they differ by all of its size (Salimans & Kingma 2016, section 3)."
    )
    if prior.any():
        reason = f"{p.reason} {reason}"
    return replace(
        p,
        scheme=VALUES,
        law=VALUES,
        values=tuple(map(float, values)),
        centre=tuple(map(float, centre)),
        value=float(values.mean()),
        std=float(values.std()),
        reason=reason,
    )
