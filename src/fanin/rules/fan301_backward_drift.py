"""FAN301 backward-drift.

## What it finds
Gradients that shrink or grow by more than a hundredfold (ten-thousandfold in their
square) from the last hidden layer back to the first.

## Why it hurts
With one learning rate for all, the layers with small gradients stand still while those
with large ones jump.

## When it is fine
Alone, with no other sign, the rule gives a note and no warning. With an optimizer that
divides each gradient by its size (`optimizer="adam"`) it is a note as well: down to ε,
which FAN305 watches, the size of a gradient does not matter there.

## Example
    net = nn.Sequential(*[layer for _ in range(10)
                          for layer in (nn.Linear(64, 64), nn.Sigmoid())])
    # sigmoid's slope is at most 1/4: each layer keeps a sixteenth

## Use instead
    # ReLU with He, or tanh with Glorot
    fanin.init(model, seed=0)

## Assumptions
Measured with zero heads and zero branches filled by small numbers, as they will be
after a step.

## Source
Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural
networks" (2010), equations 6 and 11.
"""

from __future__ import annotations

from math import exp, log, prod, sqrt
from typing import TYPE_CHECKING

from fanin.rules.fan201_forward_drift import HUGE, LARGE, allowance, band
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.trunk import DEEPER_CAUSES, mending_paths, scale_paths
from fanin.rules.words import name_of, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph import Node
    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding if gradients drift along the hidden layers."""
    hidden = [n for n in inspection.trunk.hidden if _energy(inspection, n) > 0.0]
    if len(hidden) < 2:
        return
    first, last = hidden[0], hidden[-1]
    drift = log(_energy(inspection, first)) - log(_energy(inspection, last))
    if abs(drift) < max(LARGE, allowance(hidden)):
        return
    way = "grow" if drift > 0 else "shrink"
    n_steps = len(hidden) - 1
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=_severity(inspection, drift),
        where=f"{name_of(first)} … {name_of(last)}",
        message=f"Gradients {way} by ×{number(exp(drift / 2.0))} on their way back "
        f"over {n_steps} layers.",
        measured=f"norm {number(sqrt(_energy(inspection, first)))} at the first layer, "
        f"{number(sqrt(_energy(inspection, last)))} at the last hidden one",
        expected=f"the same size within a factor of {number(band(hidden)[1])}",
        why="Under one learning rate some layers stand still while others jump.",
        fix="Give each weight the scale of its activation: fanin.init(model).",
        source=first.source,
        paths=scale_paths(inspection.trunk),
        value=exp(drift / 2.0),
        interval=band(hidden),
        mends=mending_paths(inspection.graph, inspection.trunk),
    )


def _severity(inspection: Inspection, drift: float) -> Severity:
    """Judge the drift; what divides gradients by their size makes up for it."""
    facts = inspection.optimizer
    if facts is not None and facts.is_scale_free:
        return Severity.INFO
    return Severity.ERROR if abs(drift) > HUGE else Severity.WARNING


def _energy(inspection: Inspection, node: Node) -> float:
    """Give the squared norm of dL/d(output) of a node; 0 where none arrived.

    The norm, and not the mean: pooling hands the same gradient to fewer entries.
    """
    site = inspection.awakened.sites.get(node.id)
    moment = None if site is None else site.gradient_second_moment
    return 0.0 if moment is None else moment * prod(node.shape)


RULE = Rule(
    code="FAN301",
    name="backward-drift",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=(*DEEPER_CAUSES, "FAN302", "FAN401", "FAN402", "FAN701"),
    is_witness=True,
    is_weighed=True,
)
