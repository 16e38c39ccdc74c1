"""FAN303 depth-beyond-reach.

## What it finds
A plain net, without normalization or residual branches, with more hidden layers than
six times the depth ξ over which the difference between two inputs falls, or grows, by
a factor of e.

## Why it hurts
A layer multiplies the small difference between two inputs, and the gradient on its way
back, by χ = n_in·Var(w)·E[φ′(z)²]. Where χ is not 1, depth makes it a power, and what
should be told apart is lost after a few ξ = 1/|ln χ| layers.

## When it is fine
Two or three layers at PyTorch's default (χ = 1/6 with ReLU: 6ξ is 3.3 layers).
Normalization and residual branches lift the limit, and there the rule is silent. Alone,
with no other sign, it gives a note and no warning.

## Example
    net = nn.Sequential(*[layer for _ in range(12)
                          for layer in (nn.Linear(64, 64), nn.ReLU())])

## Use instead
    fanin.init(net, seed=0)          # χ = 1: n_in·Var(w) = 2 for ReLU

## Assumptions
E[φ′(z)²] is taken over the pre-activations that were measured, so no Gaussian is
assumed. Widths are large; pooling and dropout are passed over.

## Source
Schoenholz, Gilmer, Ganguli & Sohl-Dickstein, "Deep Information Propagation" (2017),
equations 9 and 15, and figure 5 for the factor 6; Xiao et al. (2018) for convolutions.
"""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.graph import Op
from fanin.rules.layers import layers
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.sampled import sampled
from fanin.rules.trunk import DEEPER_CAUSES, scale_paths
from fanin.rules.words import number
from fanin.theory.mean_field import depth_scale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection
    from fanin.rules.layers import Layer

TIMES = 6.0
PLAIN = frozenset(
    {Op.INPUT, Op.LINEAR, Op.ELEMENTWISE, Op.REARRANGE, Op.REDUCE, Op.NOISE}
)


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding if a plain net is deeper than its signal reaches."""
    hidden = _plain_layers(inspection)
    growths = [growth(inspection, layer) for layer in hidden]
    if len(growths) < 2 or any(chi is None for chi in growths):
        return
    mean = exp(sum(log(chi) for chi in growths if chi) / len(growths))
    reach = TIMES * abs(depth_scale(mean))
    if len(hidden) <= reach:
        return
    way = "shrink" if mean < 1.0 else "grow"
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=RULE.severity,
        where=f"{hidden[0].name} … {hidden[-1].name}",
        message=f"{len(hidden)} hidden layers, and the signal reaches {number(reach)}.",
        measured=f"differences {way} by ×{number(mean)} a layer (χ), by e in "
        f"{number(reach / TIMES)} layers (ξ)",
        expected=f"at most 6ξ = {number(reach)} layers, or χ = 1",
        why="Beyond 6ξ neither the input nor the gradient gets through.",
        fix="Give each weight the scale of its activation: fanin.init(model). Or use "
        "normalization, or residual branches.",
        source=hidden[0].linear.source,
        paths=scale_paths(inspection.trunk),
        value=float(len(hidden)),
        interval=(0.0, reach),
    )


def _plain_layers(inspection: Inspection) -> list[Layer]:
    """Give the hidden layers of a plain net, in order; none of a net that is not."""
    trunk = inspection.trunk
    if any(node.op not in PLAIN for node in trunk.nodes):
        return []
    known = {layer.linear.id: layer for layer in layers(inspection)}
    found = [known.get(node.id) for node in trunk.hidden]
    return [layer for layer in found if layer is not None and not layer.is_gate]


def growth(inspection: Inspection, layer: Layer) -> float | None:
    """Give χ = n_in·Var(w)·E[φ′(z)²] of a layer, or None where it is not known."""
    weight, site = layer.linear.weight, layer.site
    held = None if weight is None else inspection.values.get(weight.path)
    if weight is None or held is None or "computed_from" in layer.linear.details:
        return None
    if not site.is_finite or not site.sample.size:
        return None
    slopes = layer.activation.slope(site.sample)
    passed = float(np.mean(np.square(slopes)))
    chi = weight.fan.n_in * float(np.var(sampled(held))) * passed
    return chi if chi > 0.0 else None


RULE = Rule(
    code="FAN303",
    name="depth-beyond-reach",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=(*DEEPER_CAUSES, "FAN401", "FAN402", "FAN701"),
    is_witness=True,
    is_weighed=True,
)
