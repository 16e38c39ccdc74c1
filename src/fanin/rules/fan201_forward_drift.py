"""FAN201 forward-drift.

## What it finds
A signal that shrinks or grows by more than a hundredfold (ten-thousandfold in the
second moment) from the first hidden layer to the last, with no normalization between.

## Why it hurts
The second moment is multiplied by n_in·Var(w)·E[φ²]/q in every layer. Where that factor
is not 1, depth makes it a power: the signal dies out, or it overflows.

## When it is fine
A smaller drift is what chance does to finite layers: over L layers of n units the
logarithm of the norm scatters by √(5 Σ 1/n); that much is allowed for. Alone, with no
other sign, the rule gives a note and no warning.

## Example
    for layer in linears:               # twenty ReLU layers
        nn.init.normal_(layer.weight, std=0.01)

## Use instead
    fanin.init(model, seed=0)           # He: n_in·Var(w) = 2 for ReLU

## Assumptions
The path followed is the one that carries the largest signal to the output.

## Source
He, Zhang, Ren & Sun, "Delving Deep into Rectifiers" (2015), equations 9 and 10; Hanin
& Rolnick, "How to Start Training" (2018), for the scatter of finite widths.
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import TYPE_CHECKING

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.trunk import DEEPER_CAUSES, scale_paths
from fanin.rules.words import name_of, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph import Node
    from fanin.rules.inspection import Inspection

# Ten layers of Glorot with ReLU (2⁻¹⁰) train well; twenty (2⁻²⁰) do not.
LARGE = log(1e4)
# A drift past recovery in float32 arithmetic: the update of a layer is lost.
HUGE = log(1e12)
SCATTER = 5.0


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for each stretch between normalizations that drifts."""
    if inspection.trunk.is_residual:
        return
    for stretch in inspection.trunk.stretches():
        finding = _judge(inspection, stretch)
        if finding is not None:
            yield finding


def _judge(inspection: Inspection, stretch: tuple[Node, ...]) -> Finding | None:
    nodes = [n for n in stretch if n.id in inspection.sites]
    first, last = drift_ends(inspection, nodes)
    if first <= 0.0 or last <= 0.0:
        return None
    drift = log(last / first)
    if abs(drift) < max(LARGE, allowance(nodes)):
        return None
    n_steps = len(nodes) - 1
    way = "grows" if drift > 0 else "shrinks"
    rate = (last / first) ** (0.5 / n_steps)
    return Finding(
        code=RULE.code,
        name=RULE.name,
        severity=Severity.ERROR if abs(drift) > HUGE else Severity.WARNING,
        where=f"{name_of(nodes[0])} … {name_of(nodes[-1])}",
        message=f"The signal {way} by ×{number(rate)} a layer over {n_steps} layers.",
        measured=f"root mean square {number(sqrt(first))} at the first, "
        f"{number(sqrt(last))} at the last",
        expected=f"the same size within a factor of {number(band(nodes)[1])}",
        why="A factor per layer becomes a power of the depth.",
        fix="Give each weight the scale of its activation: fanin.init(model).",
        source=nodes[0].source,
        paths=scale_paths(inspection.trunk),
        value=drift_ratio(first, last),
        interval=band(nodes),
    )


def drift_ratio(first: float, last: float) -> float:
    """Give last over first, of root mean squares.

    >>> drift_ratio(4.0, 1.0)
    0.5
    """
    return sqrt(last) / sqrt(first)


def band(nodes: list[Node]) -> tuple[float, float]:
    """Give the ratios of root mean squares that are no drift, least and most."""
    most = exp(max(LARGE, allowance(nodes)) / 2.0)
    return 1.0 / most, most


def drift_ends(inspection: Inspection, nodes: list[Node]) -> tuple[float, float]:
    """Give the second moments at the first and the last node; zeros if under two."""
    if len(nodes) < 2:
        return 0.0, 0.0
    first, last = inspection.sites[nodes[0].id], inspection.sites[nodes[-1].id]
    if not (first.is_finite and last.is_finite):
        return 0.0, 0.0
    return first.second_moment, last.second_moment


def allowance(nodes: list[Node]) -> float:
    """Give 3·√(5 Σ 1/n): three standard deviations of ln ‖h‖² at these widths."""
    widths = [n.shape[n.unit_axis] for n in nodes if n.unit_axis is not None]
    return 3.0 * sqrt(SCATTER * sum(1.0 / n for n in widths if n))


RULE = Rule(
    code="FAN201",
    name="forward-drift",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=(*DEEPER_CAUSES, "FAN402", "FAN701"),
    is_witness=True,
    is_weighed=True,
)
