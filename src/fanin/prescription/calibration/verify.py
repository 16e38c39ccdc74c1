"""What one run at a Plan's numbers showed, written into the Plan.

Measured are the root mean square of each weight's output, of the loss's gradient by
each parameter, the share of an output that differs between samples, and the loss. What
no weights can mend is refused (a signal that is not finite or never varies) or said in
a warning, with what can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, log10, prod, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.errors import SignalError
from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind
from fanin.graph.zeros import zero_nodes
from fanin.prescription.drawing import draw_of, without_centre
from fanin.prescription.prescription import VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.graph.graph import Graph, Node
    from fanin.graph.measurement import Measurement, SiteStatistics
    from fanin.prescription.plan import Plan

BEARING: Final = frozenset({Op.LINEAR, Op.NORMALIZE, Op.SOFTMAX})
"""Where a signal must be finite; a mask may put infinities into attention scores."""
FEW_UNITS: Final = 16
"""So many units of an activation may all be silent by chance of one draw."""
SHARE_LEFT: Final = 1e-3
"""Of the share of the second moment that differs between samples, at the input."""
DRIFT: Final = 1e4
"""A factor on the squared gradient over the depth that is worth a warning."""


def verified(plan: Plan, measurement: Measurement) -> Plan:
    """Give the plan with what was measured, and with warnings of what that shows.

    Raises:
        SignalError: if an output or the loss is not finite, or an activation is the
            same number throughout, though no weight is 0.
    """
    require_signal(plan, measurement)
    by_path = dict(_outputs(plan, measurement))
    filled = tuple(
        replace(
            p,
            measured=by_path[p.path].rms if p.path in by_path else None,
            input_share=by_path[p.path].input_share if p.path in by_path else None,
            gradient=_size(measurement.gradients.get(p.path)),
        )
        for p in plan.prescriptions
    )
    return replace(
        plan,
        prescriptions=filled,
        measured_loss=measurement.loss,
        warnings=(*plan.warnings, *warnings(plan, measurement)),
    )


# What is refused


def require_signal(plan: Plan, measurement: Measurement) -> None:
    """Refuse a run in which the signal was lost.

    Raises:
        SignalError: it names the first place.
    """
    graph, sites = measurement.graph, measurement.sites
    for node in graph.nodes:
        site = sites.get(node.id)
        if site is not None and node.op in BEARING and not site.is_finite:
            raise SignalError.of([_name(node)], "not finite")
    if not np.isfinite(measurement.outputs).all():
        name = "the model"
        raise SignalError.of([name], "not finite")
    if measurement.loss is not None and not isfinite(measurement.loss):
        name = "the loss"
        raise SignalError.of([name], f"{measurement.loss}")
    still = [_name(node) for node in _still(plan, measurement)]
    if still:
        raise SignalError.of(still, "the same number throughout")


def _still(plan: Plan, measurement: Measurement) -> Iterator[Node]:
    """Yield activations of learned outputs that never vary, without an excuse."""
    graph = measurement.graph
    written = {p.path: p for p in plan.prescriptions}

    def is_zero(path: str) -> bool:
        p = written.get(graph.parameter(path).path)
        return p is not None and not p.is_kept and p.std == 0.0 and p.value == 0.0

    zeros = zero_nodes(graph, is_zero)
    for node in graph.nodes:
        site = measurement.sites.get(node.id)
        if node.op is not Op.ELEMENTWISE or site is None or zeros & {*node.inputs}:
            continue
        source = graph.node(node.inputs[0])
        is_learned = source.op in {Op.LINEAR, Op.NORMALIZE}
        n_units = len(site.unit_means)
        if is_learned and n_units >= FEW_UNITS and _never_varies(site):
            yield node


def _never_varies(site: SiteStatistics) -> bool:
    is_one = float(np.min(site.unit_minima)) == float(np.max(site.unit_maxima))
    return site.is_finite and is_one


# What is measured


@dataclass(frozen=True, kw_only=True)
class Output:
    """What was measured of a weight's output: bias left out of the rms."""

    rms: float
    input_share: float


def _outputs(plan: Plan, measurement: Measurement) -> Iterator[tuple[str, Output]]:
    """Yield each weight's output, pooled over its uses along the axes of the first.

    As in calibration, uses that give zeros (the first state of a recurrence) are left
    out where others do not.
    """
    graph = measurement.graph
    uses: dict[str, list[tuple[Node, SiteStatistics]]] = {}
    for node in graph.linears:
        site = measurement.sites.get(node.id)
        if node.weight is not None and site is not None:
            path = graph.parameter(node.weight.path).path
            uses.setdefault(path, []).append((node, site))
    for path, found in uses.items():
        first = found[0][0].weight
        alike = [
            (node, site)
            for node, site in found
            if node.weight is not None
            and first is not None
            and node.weight.roles == first.roles
        ]
        live = [each for each in alike if each[1].second_moment > 0.0] or alike
        yield path, _pooled(plan, graph, live)


def _pooled(
    plan: Plan, graph: Graph, uses: list[tuple[Node, SiteStatistics]]
) -> Output:
    sizes = np.array([prod(node.shape) for node, _ in uses], dtype=np.float64)
    squares = [_square(site, _bias(plan, graph, node)) for node, site in uses]
    moments = [site.second_moment for _, site in uses]
    between = [site.between_samples for _, site in uses]
    total = float(np.dot(moments, sizes))
    return Output(
        rms=sqrt(float(np.dot(squares, sizes)) / float(sizes.sum())),
        input_share=float(np.dot(between, sizes)) / total if total else 0.0,
    )


def _bias(plan: Plan, graph: Graph, node: Node) -> np.ndarray:
    """Give a bias that is set to known values, one a unit or one for all.

    One that follows the weight is part of what the layer computes, and so is what
    centres its output: 0 here.
    """
    path = None if node.bias is None else graph.parameter(node.bias).path
    for p in plan.prescriptions:
        if p.path == path and p.law in {VALUES, "constant"}:
            values = draw_of(without_centre(p), plan.seed)(None)
            return values.astype(np.float64).reshape(-1)
    return np.zeros(1)


def _square(site: SiteStatistics, bias: np.ndarray) -> float:
    """Give the mean square of an output without its bias, where units are known.

    Over one unit, E[(z − b)²] = Var[z] + (E[z] − b)².
    """
    n_units = len(site.unit_means)
    if n_units == 0 or len(bias) not in {1, n_units}:
        return site.second_moment
    squares = site.unit_variances + (site.unit_means - bias) ** 2
    return float(np.mean(squares))


def _size(gradient: np.ndarray | None) -> float | None:
    """Give the root mean square of a gradient; None where none arrived."""
    if gradient is None or gradient.size == 0:
        return None
    wide = np.asarray(gradient, dtype=np.float64)
    return float(np.sqrt(np.mean(np.square(wide))))


# What is warned of


def warnings(plan: Plan, measurement: Measurement) -> tuple[str, ...]:
    """Say what no weight scale can mend, and what can."""
    roles = {p.path: p.role for p in plan.prescriptions}
    found = (_forgotten(roles, measurement), _drifting(roles, measurement))
    if plan.policy == "auto":
        end = "No weight scale keeps signal and gradients here."
    else:
        end = "The policy 'auto' weighs signal and gradients; try it first."
    remedies = "residual connections, normalization, another activation, fewer layers"
    return tuple(
        f"Measured: {text} {end} What can: {remedies}." for text in found if text
    )


def _forgotten(roles: Mapping[str, str], measurement: Measurement) -> str:
    """Warn if what a head reads hardly differs between samples."""
    share = _share_at_input(measurement)
    graph = measurement.graph
    for node in graph.linears:
        path = "" if node.weight is None else graph.parameter(node.weight.path).path
        if roles.get(path) != RoleKind.HEAD or not node.inputs or share == 0.0:
            continue
        site = measurement.sites.get(node.inputs[0])
        if site is None or site.second_moment == 0.0 or measurement.batch_size < 2:
            continue
        if site.input_share < SHARE_LEFT * share:
            return (
                f"what {path} reads is almost the same for every sample: "
                f"{site.input_share:.2g} of its second moment differs between them, "
                f"{share:.2g} at the input."
            )
    return ""


def _share_at_input(measurement: Measurement) -> float:
    """Give the input share where the signal enters: the batch, or its embedding."""
    graph = measurement.graph
    for node in graph.nodes:
        site = measurement.sites.get(node.id)
        is_looked_up = node.op is Op.INPUT and any(
            reader.details.get("kind") == "lookup"
            for reader in graph.consumers(node.id)
        )
        if site is not None and not is_looked_up and site.second_moment > 0.0:
            return site.input_share
    return 0.0


def _drifting(roles: Mapping[str, str], measurement: Measurement) -> str:
    """Warn if squared gradients change by `DRIFT` from the last hidden layer back."""
    hidden = [
        (path, energy)
        for path, energy in _energies(measurement)
        if roles.get(path) == RoleKind.HIDDEN and energy > 0.0
    ]
    if len(hidden) < 2:
        return ""
    (first, early), (last, late) = hidden[0], hidden[-1]
    ratio = early / late
    if 1.0 / DRIFT < ratio < DRIFT:
        return ""
    way = "grow" if ratio > 1.0 else "fall"
    return (
        f"squared gradients {way} by 10^{abs(log10(ratio)):.1f} from {last} back to "
        f"{first}, over {len(hidden) - 1} hidden weights."
    )


def _energies(measurement: Measurement) -> Iterator[tuple[str, float]]:
    """Yield the squared norm of the gradient by each weight's output, in order.

    The norm, and not the mean: pooling hands the same gradient to fewer entries.
    """
    graph = measurement.graph
    for node in graph.linears:
        site = measurement.sites.get(node.id)
        if node.weight is None or site is None or site.gradient_second_moment is None:
            continue
        path = graph.parameter(node.weight.path).path
        yield path, site.gradient_second_moment * prod(node.shape)


def _name(node: Node) -> str:
    if node.path:
        return node.path
    return f"{node.op} {node.id}" if node.source is None else f"{node.source}"
