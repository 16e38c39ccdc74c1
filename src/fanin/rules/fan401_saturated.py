"""FAN401 saturated.

## What it finds
Hidden layers with tanh, sigmoid or the like where more than half of the
pre-activations lie in the flat part, where the slope is under 5 % of the steepest.

## Why it hurts
A flat unit passes no gradient: what stands before it hardly moves, and it answers all
inputs alike.

## When it is fine
Gates that are meant to be open or shut are left out. Alone, with no other sign, the
rule gives a note and no warning, up to 90 % in the flat part: beyond that hardly a
gradient gets through, whatever else is well.

## Example
    nn.init.normal_(layer.weight, std=1.0)   # 256 inputs, tanh: |z| is about 16

## Use instead
    nn.init.xavier_normal_(layer.weight)     # n_in·Var(w) = 1

## Assumptions
At most 4096 pre-activations of a layer are looked at.

## Source
Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural
networks" (2010), section 3.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.rules.curve import saturates
from fanin.rules.layers import layers
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import listing, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection

MOST_FLAT = 0.5
# So many of the pre-activations flat that no gradient to speak of gets through.
NEARLY_ALL = 0.9


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for all saturated layers, the worst of them measured."""
    shares = {
        layer.name: (layer.activation.flat_share(layer.site.sample), layer)
        for layer in layers(inspection)
        if not layer.is_gate and layer.site.is_finite and saturates(layer.activation)
    }
    flat = {name: pair for name, pair in shares.items() if pair[0] > MOST_FLAT}
    if not flat:
        return
    share, worst = max(flat.values(), key=lambda pair: pair[0])
    size = sqrt(worst.site.second_moment)
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=Severity.ERROR if share > NEARLY_ALL else Severity.WARNING,
        where=listing(list(flat)),
        message=f"{share:.0%} of the pre-activations of {worst.name} are in the flat "
        "part of its activation.",
        measured=f"root mean square {number(size)} before the activation; "
        f"{len(flat)} of {len(shares)} layers are more than half flat",
        expected="under half in the flat part",
        why="A flat unit passes no gradient and answers all inputs alike.",
        fix="Use smaller weights (Glorot for tanh and sigmoid): fanin.init(model).",
        source=worst.linear.source,
        paths=tuple(p for _, layer in flat.values() for p in layer.paths),
        value=share,
        interval=(0.0, MOST_FLAT),
    )


RULE = Rule(
    code="FAN401",
    name="saturated",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN103", "FAN104", "FAN203", "FAN204", "FAN601", "FAN802"),
    is_witness=True,
    is_weighed=True,
    decisive=Severity.ERROR,
)
