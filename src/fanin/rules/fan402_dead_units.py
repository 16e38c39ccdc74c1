"""FAN402 dead-units.

## What it finds
ReLU units that are off for the whole batch, where they are more than chance explains.

## Why it hurts
A unit that is off for every sample has no gradient and does not come back by itself.

## When it is fine
Deep networks on small batches have many by chance: samples look alike there, so a unit
is off for all of them together. The number expected at this batch size and this
likeness of samples is computed, and only more than that is reported.

## Example
    nn.init.constant_(layer.bias, -100.0)

## Use instead
    nn.init.zeros_(layer.bias)

## Assumptions
Pre-activations of a unit are normal over samples, and their means scatter normally
around 0 over units. Positions of a map count once, so more units die in the
expectation than in truth: the rule errs on the silent side.

## Source
Lu, Shin, Su & Karniadakis, "Dying ReLU and Initialization" (2019). The expected share
E[Φ(−u·√(ρ/(1−ρ)))^B] is derived in this module.
"""

from __future__ import annotations

from math import erf, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.curve import is_rectifier
from fanin.rules.layers import layers
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection
    from fanin.rules.layers import Layer

STANDARD_DEVIATIONS = 4.0
# A few units more than expected are a curiosity, not a fault.
LEAST_EXCESS = 0.1


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each layer with too many units off."""
    batch_size = inspection.measured.batch_size
    for layer in layers(inspection):
        n_units = len(layer.site.unit_maxima)
        if n_units == 0 or not layer.site.is_finite or layer.is_gate:
            continue
        if not is_rectifier(layer.activation):
            continue
        n_dead = int(np.count_nonzero(layer.site.unit_maxima <= 0.0))
        share = expected_dead(correlation(layer.site.unit_means, layer), batch_size)
        scatter = sqrt(max(share * (1.0 - share), 1.0 / n_units) / n_units)
        excess = n_dead / n_units - share
        if n_dead < n_units and excess < max(
            STANDARD_DEVIATIONS * scatter, LEAST_EXCESS
        ):
            continue
        yield _finding(layer, n_dead, n_units, share)


def correlation(unit_means: np.ndarray, layer: Layer) -> float:
    """Give ρ: the share of the variance that samples have in common."""
    common = float(np.var(unit_means))
    own = float(np.mean(layer.site.unit_variances))
    return common / (common + own) if common + own > 0.0 else 0.0


def expected_dead(rho: float, batch_size: int) -> float:
    """E[Φ(−u·√(ρ/(1−ρ)))^B], u ~ N(0, 1): the share of units off for B samples.

    A unit's pre-activation is √ρ·u + √(1−ρ)·ε_s, u shared by the samples: given u,
    each sample is negative with probability Φ(−u√ρ/√(1−ρ)), independently. Summed on
    2001 points over ±8 standard deviations; the error is under 1e-6 for ρ ≤ 0.999.

    Args:
        rho: correlation of two samples' pre-activations, 0 ≤ ρ < 1.
        batch_size: count.

    >>> round(expected_dead(0.0, 4), 9), round(expected_dead(0.5, 1), 9)
    (0.0625, 0.5)
    """
    u = np.linspace(-8.0, 8.0, 2001)
    density = np.exp(-0.5 * u**2)
    ratio = sqrt(rho / max(1.0 - rho, 1e-6))
    negative = np.array([0.5 * (1.0 + erf(x)) for x in -u * ratio / sqrt(2.0)])
    return float(np.sum(density * negative**batch_size) / np.sum(density))


def _finding(layer: Layer, n_dead: int, n_units: int, share: float) -> Finding:
    is_all = n_dead == n_units
    mean = float(np.mean(layer.site.unit_means))
    return Finding(
        code=RULE.code,
        name=RULE.name,
        severity=Severity.ERROR if is_all else Severity.WARNING,
        where=layer.name,
        message=f"{n_dead} of {n_units} units are off for every sample of the batch.",
        measured=f"{n_dead / n_units:.0%} off; mean pre-activation {number(mean)}",
        expected=f"about {share:.0%} by chance at this batch size",
        why="A unit that is always off has no gradient and does not come back.",
        fix="Set the biases to 0 and centre the inputs; use a larger batch to be sure.",
        source=layer.linear.source,
        paths=layer.paths,
    )


RULE = Rule(
    code="FAN402",
    name="dead-units",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN103", "FAN104", "FAN203", "FAN204", "FAN802"),
)
