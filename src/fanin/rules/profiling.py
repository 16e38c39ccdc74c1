"""From an Inspection to a Profile, without a further pass of the model.

All numbers are those that the rules judged by. Gradients of outputs are of the awakened
copy if a rule asked for one (a zero head sends none back at the first step), else as
measured; those of weights are the first step's own, or in a check without the closure
those with zeros filled.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.flow import is_affine
from fanin.graph.graph import Op
from fanin.rules.curve import is_rectifier, saturates
from fanin.rules.equal_units import classes, rows
from fanin.rules.expected_sizes import evenly, theory_of
from fanin.rules.layers import layers
from fanin.rules.profile import (
    ALWAYS_OFF,
    ALWAYS_ON,
    N_BINS,
    WORKING,
    Bins,
    Profile,
    Row,
    TwinUnits,
    Weight,
)
from fanin.rules.site_names import site_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fanin.graph import Node, SiteStatistics
    from fanin.rules.inspection import Inspection
    from fanin.rules.layers import Layer
    from fanin.rules.rule import Finding
    from fanin.theory.prediction import Prediction

MOST_UNITS: Final = 128
REACH: Final = 4.0
"""A histogram ends at so many root mean squares: of a Gaussian 6 in 100,000 are out."""
SILENT: Final = frozenset({Op.CONSTANT, Op.PARAMETER, Op.REARRANGE})
"""What carries no signal, or hands on the very numbers of the node before."""
TWIN_RULES: Final = frozenset({"FAN103", "FAN104"})


def profile_of(
    inspection: Inspection, findings: Iterable[Finding] = ()
) -> Profile | None:
    """Give the network site by site; None where it could not be run.

    Args:
        inspection: as the rules saw it.
        findings: of the check; layers said to hold equal units are counted out.

    Theory is left out of a quick check (without the closure): it takes as long as a
    pass through a small model.
    """
    measured = inspection.measurement
    if measured is None:
        return None
    # Filled by the rules that need it: a picture is no reason to run the model again.
    awake = vars(inspection).get("awakened", measured)
    theory = theory_of(inspection, awake.sites) if inspection.closure else None
    if theory is not None and awake is not measured:
        theory = replace(theory, gradients={})  # of weights that are still zero
    shown = {layer.linear.id: layer for layer in layers(inspection)}
    trunk = {node.id for node in inspection.trunk.nodes}
    places = site_names(inspection.graph)
    found = []
    for node in inspection.graph.nodes:
        site = inspection.sites.get(node.id)
        if site is None or node.op in SILENT or is_affine(node):
            continue
        row = _place(node, site, places, is_trunk=node.id in trunk)
        row = _with_gradient(row, awake.sites.get(node.id))
        row = _with_theory(row, theory, node.id)
        found.append(_with_units(row, shown.get(node.id)))
    return Profile(
        rows=tuple(found),
        weights=_weights(inspection),
        twins=_twins(inspection, findings),
        loss=_digits(measured.loss),
        batch_size=measured.batch_size,
    )


def histogram(values: np.ndarray) -> Bins | None:
    """Count values into bins over four root mean squares each way.

    Where nothing is so large, the bins end at the largest; None of no finite values.

    >>> found = histogram(np.array([-1.0, 0.0, 0.0, 1.0]))
    >>> found.reach, found.counts[0], found.counts[N_BINS // 2], found.counts[-1]
    (1.0, 1, 2, 1)
    """
    numbers = np.asarray(values, dtype=np.float64).reshape(-1)
    numbers = numbers[np.isfinite(numbers)]
    if numbers.size == 0:
        return None
    largest = float(np.max(np.abs(numbers)))
    if largest == 0.0:
        middle = [0] * N_BINS
        middle[N_BINS // 2] = numbers.size
        return Bins(reach=0.0, counts=tuple(middle))
    shares = numbers / largest  # so that squares neither over- nor underflow
    reach = _digits(min(1.0, REACH * sqrt(float(np.mean(shares**2)))) * largest)
    if not reach:
        return None
    places = np.clip((numbers / reach + 1.0) / 2.0, 0.0, 1.0) * N_BINS
    counts = np.bincount(np.minimum(places.astype(np.int64), N_BINS - 1))
    return Bins(reach=reach, counts=(*counts.tolist(), *([0] * (N_BINS - len(counts)))))


def _digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _root(square: float | None) -> float | None:
    return None if square is None else _digits(sqrt(max(square, 0.0)))


def _place(
    node: Node, site: SiteStatistics, names: Mapping[int, str], *, is_trunk: bool
) -> Row:
    return Row(
        name=names[node.id],
        is_trunk=is_trunk,
        kind=_kind(node),
        shape=node.shape,
        weight=node.weight.path if node.weight is not None else "",
        forward=_root(site.second_moment),
        between=_root(site.between_samples),
        maximum=_digits(site.maximum),
        n_units=len(site.unit_maxima),
        values=histogram(site.sample),
    )


def _kind(node: Node) -> str:
    """Give the operation, a product with a weight more closely."""
    kind = node.details.get("kind") if node.op is Op.LINEAR else None
    return str(kind) if kind else str(node.op.value)


def _with_gradient(row: Row, awake: SiteStatistics | None) -> Row:
    if awake is None:
        return row
    return replace(row, gradient=_root(awake.gradient_second_moment))


def _with_theory(row: Row, theory: Prediction | None, node_id: int) -> Row:
    if theory is None:
        return row
    moments = theory.moments.get(node_id)
    gradient = _root(theory.gradients.get(node_id))
    if moments is None:
        return replace(row, predicted_gradient=gradient)
    low, high = moments.interval()
    return replace(
        row,
        predicted=_root(moments.second_moment),
        predicted_low=_root(low),
        predicted_high=_root(high),
        predicted_gradient=gradient,
    )


def _with_units(row: Row, layer: Layer | None) -> Row:
    """Say how a layer's units stand to the activation that reads them."""
    if layer is None or not layer.site.is_finite or layer.is_gate:
        return row
    site = layer.site
    if site.unit_maxima.size and is_rectifier(layer.activation):
        off, on = site.unit_maxima <= 0.0, site.unit_minima > 0.0
        marks = np.where(on, ALWAYS_ON, np.where(off, ALWAYS_OFF, WORKING))
        return replace(row, dead=_digits(float(off.mean())), units=_letters(marks))
    if not saturates(layer.activation):
        return row
    return replace(row, saturated=_digits(layer.activation.flat_share(site.sample)))


def _letters(marks: np.ndarray) -> str:
    return "".join(marks[:: max(1, -(-len(marks) // MOST_UNITS))].tolist())


def _weights(inspection: Inspection) -> tuple[Weight, ...]:
    """Give every trainable array of two or more axes."""
    awakening = vars(inspection).get("awakening")
    steps = {} if awakening is None else awakening.rounds
    found = []
    for path in inspection.trainable:
        value = inspection.values[path]
        if value.ndim < 2 or value.size == 0:
            continue
        entries, slopes = evenly(value), inspection.slopes.entries.get(path)
        found.append(
            Weight(
                path=path,
                shape=value.shape,
                mean=_digits(float(entries.mean())) or 0.0,
                std=_digits(float(entries.std())) or 0.0,
                n_in=inspection.fans.get(path),
                step=None if awakening is None else steps.get(path, 0),
                gradient=None if slopes is None else _root(float(np.mean(slopes**2))),
                values=histogram(entries),
                gradients=None if slopes is None else histogram(slopes),
            )
        )
    return tuple(found)


def _twins(
    inspection: Inspection, findings: Iterable[Finding]
) -> tuple[TwinUnits, ...]:
    """Give the equal units of the layers that a finding says hold some."""
    named = {f.where: f.code for f in findings if f.code in TWIN_RULES}
    found = []
    for group in inspection.unit_groups:
        if group.name not in named:
            continue
        own = (*group.incoming, *group.shared)
        slices = group.slices if named[group.name] == "FAN103" else own
        labels = classes(rows(slices, inspection.values, group.size))
        found.append(
            TwinUnits(
                name=group.name,
                size=group.size,
                n_different=len(np.unique(labels)),
                labels=tuple(labels[:MOST_UNITS].tolist()),
            )
        )
    return tuple(found)
