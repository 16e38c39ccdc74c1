"""Predictions written into prescriptions, and the head scaled by them."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.roles import RoleKind
from fanin.prescription.choosing.choose import is_believed
from fanin.prescription.choosing.seen import as_seen, functions_seen
from fanin.prescription.prescription import KEEP, OFFSET
from fanin.theory.forward import Forward
from fanin.theory.given import Given

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from fanin.graph.graph import Graph
    from fanin.prescription.evidence import Evidence
    from fanin.prescription.prescription import Prescription
    from fanin.theory.moments import Moments

Written = dict[str, "Prescription"]


def moments_with(
    graph: Graph, written: Mapping[str, Prescription], evidence: Evidence
) -> Mapping[int, Moments | None]:
    """Propagate moments with the prescribed values, and present ones where kept."""
    variances, means = {}, {}
    for path, prescription in written.items():
        if prescription.law == OFFSET:
            continue  # it is part of what its layer sees of the activation
        if prescription.law != KEEP:
            variances[path] = prescription.variance
            means[path] = prescription.value
            continue
        present = evidence.present(path)
        if present is not None:
            variances[path], means[path] = present.variance, present.mean
    given = Given(variances=variances, means=means, inputs=evidence.inputs)
    walk = Forward(as_seen(graph, functions_seen(graph, written)), given)
    walk.run()
    return walk.moments


def with_prediction(
    graph: Graph,
    written: Mapping[str, Prescription],
    evidence: Evidence,
    *,
    fixed: Container[str] = (),
) -> Written:
    """Write the predicted rms of each weight's output beside it, bias left out.

    Heads with a target that are not ``fixed`` are scaled too, so that their outputs
    have that size. What reaches them is predicted with pooling, padding and the growth
    of streams counted, where the walk of the policy "auto" aims at 1.
    """
    moments = moments_with(graph, written, evidence)
    done = dict(written)
    for node in reversed(graph.linears):
        if node.weight is not None:
            path = graph.parameter(node.weight.path).path
            bias = None if node.bias is None else graph.parameter(node.bias).path
            offset = written.get(bias or "")
            done[path] = _predicted(done[path], moments[node.id], offset)
    open_ones = {path: p for path, p in done.items() if path not in fixed}
    return done | _with_heads(graph, open_ones, moments)


def _with_heads(
    graph: Graph,
    written: Written,
    moments: Mapping[int, Moments | None],
) -> Written:
    """Scale the heads; nothing of a size reads what they write."""
    scaled = dict(written)
    for node in graph.linears:
        path = "" if node.weight is None else graph.parameter(node.weight.path).path
        head = scaled.get(path)
        x = moments.get(node.inputs[0]) if node.inputs else None
        if head is None or head.role != RoleKind.HEAD or head.target is None:
            continue
        if x is None or not is_believed(x) or head.gain is None or head.std == 0.0:
            continue
        n_terms = (head.gain / head.std) ** 2
        std = head.target / sqrt(n_terms * x.second_moment)
        scaled[path] = _head(head, std, x.rms)
    return scaled


def _head(head: Prescription, std: float, rms: float) -> Prescription:
    """Give the head another std, and what follows from it."""
    if head.gain is None or head.target is None or head.std == 0.0:
        return head
    ratio = std / head.std
    gain = head.gain * ratio
    name = head.scheme.partition("(")[0]
    predicted, low, high = (
        None if number is None else number * ratio
        for number in (head.predicted, head.low, head.high)
    )
    return replace(
        head,
        std=std,
        gain=gain,
        predicted=predicted,
        low=low,
        high=high,
        scheme=name if name == "orthogonal" else f"{name}(gain={gain:.4g})",
        reason=(
            f"Output head: rms {head.target:.3g} from an input of rms {rms:.3g}, so "
            "that the model starts as the ignorant predictor."
        ),
    )


def _predicted(
    weight: Prescription, moments: Moments | None, bias: Prescription | None
) -> Prescription:
    """Write the prediction down, with the bias's own square taken off."""
    if moments is None:
        return replace(weight, predicted=None, low=None, high=None)
    is_left_out = bias is None or weight.value or bias.law == OFFSET
    offset = 0.0 if is_left_out or bias is None else bias.value**2 + bias.std**2
    parts = (moments.second_moment, *moments.interval())
    rms, low, high = (sqrt(max(part - offset, 0.0)) for part in parts)
    return replace(weight, predicted=rms, low=low, high=high)
