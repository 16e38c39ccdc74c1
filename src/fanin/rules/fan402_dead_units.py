"""FAN402 dead-units.

## What it finds
ReLU units that are off for the whole batch, where they are more than chance explains.

## Why it hurts
A unit that is off for every sample has no gradient and does not come back by itself.

## When it is fine
Deep networks on small batches have many by chance: samples look alike there, so a unit
is off for all of them together. Of B samples whose inputs to the layer correlate by ρ,
a share E[Φ(−u·√(ρ/(1−ρ)))^B] of units is off by chance, u being N(0, 1); not 2⁻ᴮ, which
holds at ρ = 0 alone. As many are on for all of them. Only more than both allow for is
reported.

## Example
    nn.init.constant_(layer.bias, -100.0)

## Use instead
    nn.init.zeros_(layer.bias)

## Assumptions
A weight is as likely as its negative, and biases are 0: then a unit is always off as
probably as it is always on, whatever the inputs are, so of D off and N on, D − N has
the standard deviation √(D + N). Pre-activations of a unit are jointly Gaussian, with
the correlation of what the layer reads; positions of a map count as one sample.

## Source
Lu, Shin, Su & Karniadakis, "Dying ReLU and Initialization" (2019); the sign test is
that of Arbuthnot (1710).
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.chance import share_off
from fanin.rules.curve import is_rectifier
from fanin.rules.layers import layers
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection
    from fanin.rules.layers import Layer

STANDARD_DEVIATIONS = 5.0
# A few units more than expected are a curiosity, not a fault.
LEAST_SHARE = 0.1


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each layer with too many units off."""
    for layer in layers(inspection):
        n_units = len(layer.site.unit_maxima)
        if n_units == 0 or not layer.site.is_finite or layer.is_gate:
            continue
        if layer.site.second_moment == 0.0:
            continue  # zeros, or underflow: FAN101 and FAN302 speak of those
        if not is_rectifier(layer.activation):
            continue
        n_off = int(np.count_nonzero(layer.site.unit_maxima <= 0.0))
        n_on = int(np.count_nonzero(layer.site.unit_minima > 0.0))
        if n_off == n_units:
            yield _finding(layer, n_off, n_on, float(n_units - 1))
            continue
        most = _most_by_chance(inspection, layer, n_units)
        if n_off > most and is_excess(n_off, n_on, n_units):
            yield _finding(layer, n_off, n_on, most)


def _most_by_chance(inspection: Inspection, layer: Layer, n_units: int) -> float:
    """Give how many units chance leaves off: the expected, and 5 standard deviations.

    0 where what the layer reads was not measured: then the signs alone decide.
    """
    source = layer.linear.inputs[0] if layer.linear.inputs else -1
    site, n_samples = inspection.sites.get(source), inspection.measured.batch_size
    if site is None or not site.is_finite or n_samples < 2:
        return 0.0
    # The variance over n samples is (n − 1)/n of that of the distribution.
    apart = min(site.input_share * n_samples / (n_samples - 1), 1.0)
    share = share_off(1.0 - apart, n_samples)
    spread = sqrt(share * (1.0 - share) / n_units)
    return n_units * min(share + STANDARD_DEVIATIONS * spread, 1.0)


def is_excess(n_off: int, n_on: int, n_units: int) -> bool:
    """Say whether more units are always off than chance allows for.

    Args:
        n_off: units off for every sample: count.
        n_on: units on for every sample: count.
        n_units: of the layer: count.

    >>> is_excess(17, 13, 64), is_excess(40, 2, 64)
    (False, True)
    """
    least = max(STANDARD_DEVIATIONS * sqrt(n_off + n_on), LEAST_SHARE * n_units)
    return n_off - n_on > least


def _finding(layer: Layer, n_off: int, n_on: int, most: float) -> Finding:
    n_units = len(layer.site.unit_maxima)
    is_all = n_off == n_units
    mean = float(np.mean(layer.site.unit_means))
    return Finding(
        code=RULE.code,
        name=RULE.name,
        severity=Severity.ERROR if is_all else Severity.WARNING,
        where=layer.name,
        message=f"{n_off} of {n_units} units are off for every sample of the batch.",
        measured=f"{n_off} always off, {n_on} always on; mean pre-activation "
        f"{number(mean)}",
        expected=f"at most {most:.0f} always off, and as many always on",
        why="A unit that is always off has no gradient and does not come back.",
        fix="Set the biases to 0 and centre the inputs; use a larger batch to be sure.",
        source=layer.linear.source,
        paths=layer.paths,
        value=float(n_off),
        interval=(0.0, most),
    )


RULE = Rule(
    code="FAN402",
    name="dead-units",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN103", "FAN104", "FAN203", "FAN204", "FAN802"),
)
