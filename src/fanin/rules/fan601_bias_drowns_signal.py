"""FAN601 bias-drowns-signal.

## What it finds
Hidden layers whose bias is more than ten times the size of the signal that it is added
to, and larger than 1.

## Why it hurts
The bias alone decides: a unit is on, off or saturated for every input alike.

## When it is fine
Gates that a bias is meant to hold open or shut (the LSTM's forget gate, highway gates),
and the step sizes of a state-space model: neither is reported.

## Example
    nn.init.constant_(layer.bias, -100.0)

## Use instead
    nn.init.zeros_(layer.bias)

## Assumptions
The signal is what differs between samples.

## Source
He, Zhang, Ren & Sun, "Delving Deep into Rectifiers" (2015): biases start at 0.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.roles import RoleKind
from fanin.rules.layers import layers
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.virtual_steps import root_mean_square
from fanin.rules.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection

# What such a bias sets is a time or a share, and not where a unit begins (FAN602).
SETTINGS = {RoleKind.STEP_SIZE}
LARGE = 1.0
TIMES = 10.0


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each hidden layer that its bias rules."""
    for layer in layers(inspection):
        path = layer.linear.bias
        if path is None or layer.is_gate or path not in inspection.values:
            continue
        if inspection.roles[inspection.graph.parameter(path).path].kind in SETTINGS:
            continue
        site = inspection.sites.get(layer.linear.id)
        if site is None or not site.is_finite or inspection.measured.batch_size < 2:
            continue
        bias = root_mean_square(inspection.values[path])
        signal = sqrt(site.between_samples)
        # The first layer on the way: later ones hear a constant because of it.
        if bias > max(LARGE, TIMES * signal):
            yield Finding(
                code=RULE.code,
                name=RULE.name,
                severity=RULE.severity,
                where=path,
                message=f"The bias, of size {number(bias)}, drowns a signal of size "
                f"{number(signal)}.",
                measured=f"root mean square {number(bias)} against {number(signal)}",
                expected="0, or less than the signal",
                why="The bias alone decides what its units do, for every input alike.",
                fix="Set the bias to 0: fanin.init(model).",
                source=layer.linear.source,
                paths=layer.paths,
                value=bias,
                interval=(0.0, max(LARGE, TIMES * signal)),
                mends=(path,),
            )


RULE = Rule(
    code="FAN601",
    name="bias-drowns-signal",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN402", "FAN802"),
)
