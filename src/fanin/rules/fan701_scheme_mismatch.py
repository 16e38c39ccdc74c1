"""FAN701 scheme-mismatch.

## What it finds
Weights whose standard deviation is not what the activation after them asks for, by more
than 30 % and by more than five standard errors: Glorot or PyTorch's default before
ReLU, He before tanh in the other direction, a fixed 0.01.

## Why it hurts
The factor repeats in every layer. In two or three layers nobody notices; in twenty the
signal is gone.

## When it is fine
In shallow networks, before a normalization (which takes the scale out), and where the
whole still works: alone the rule gives a note. It becomes a warning where a measured
drift, saturation or loss of the input agrees.

## Example
    nn.Linear(512, 512), nn.ReLU()     # PyTorch's default: std 1/√(3·512)

## Use instead
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")   # std √(2/512)

## Assumptions
n is the fan-in, the fan-out, or their mean: each of the three is in use. The gain may
lie anywhere between the forward gain, the backward gain and 1/φ′(0).

## Source
Glorot & Bengio (2010), equation 12; He, Zhang, Ren & Sun (2015), equations 10 and 14.
"""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.activations import identify
from fanin.graph.roles import RoleKind, roles
from fanin.rules.gains import TOLERANCE, GainRange, gain_range
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import listing, number, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph import Weight
    from fanin.rules.inspection import Inspection

STANDARD_ERRORS = 5.0
# Where the scale is chosen by the activation after the weight, and by nothing else.
BY_ACTIVATION = {RoleKind.HIDDEN, RoleKind.INPUT_LAYER}


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for all weights that do not fit their activation."""
    found = [
        m for weight in _weights(inspection) if (m := _mismatch(inspection, weight))
    ]
    if not found:
        return
    paths = tuple(path for path, _, _ in found)
    path, std, wanted = max(found, key=lambda m: abs(log(m[1] / m[2])))
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=RULE.severity,
        where=listing(paths),
        message=f"The std of {path} is {number(std)}; its activation asks for "
        f"{number(wanted)}.",
        measured=f"{number(std / wanted)} of what is asked for"
        + (f"; so in {len(found)} weights" if len(found) > 1 else ""),
        expected=f"std {number(wanted)}, within 30 %",
        why="The factor repeats in every layer, and depth makes it a power.",
        fix="Use the scheme of the activation (He for ReLU, Glorot for tanh): "
        "fanin.init(model).",
        source=source_of(inspection.graph, path),
        paths=paths,
    )


def _weights(inspection: Inspection) -> list[tuple[Weight, GainRange]]:
    """Give each weight that an activation of its own judges, with the sound gains."""
    graph = inspection.graph
    kinds = roles(graph)
    found: dict[str, tuple[Weight, GainRange]] = {}
    for node in graph.linears:
        if node.weight is None or node.weight.path not in inspection.trainable:
            continue
        role = kinds.get(node.weight.path)
        if role is None or role.kind not in BY_ACTIVATION or role.is_scale_free:
            continue
        activation = None if role.activation is None else graph.node(role.activation)
        if activation is not None and activation.function is not None:
            found[node.weight.path] = (
                node.weight,
                gain_range(identify(activation.function)),
            )
    return list(found.values())


def _mismatch(
    inspection: Inspection, pair: tuple[Weight, GainRange]
) -> tuple[str, float, float] | None:
    """Give path, std and the nearest sound std, if they differ for sure."""
    weight, gains = pair
    value = np.asarray(inspection.values[weight.path], dtype=np.float64)
    std, error = std_with_error(value)
    if std == 0.0:
        return None
    fans = (weight.fan.n_in, weight.fan.n_out, (weight.fan.n_in + weight.fan.n_out) / 2)
    least = gains.least / sqrt(max(fans))
    greatest = gains.greatest / sqrt(min(fans))
    nearest = min(max(std, least), greatest)
    off = abs(log(std / nearest))
    if off < log(TOLERANCE) or off < STANDARD_ERRORS * error:
        return None
    return weight.path, std, gains.greatest / sqrt(weight.fan.n_in)


def std_with_error(value: np.ndarray) -> tuple[float, float]:
    """Give √E[w²] and its relative standard error, ½·√((κ − 1)/n).

    κ = E[w⁴]/E[w²]² is 3 for a normal law and 9/5 for a uniform one.

    >>> std_with_error(np.array([[1.0, -1.0], [1.0, -1.0]]))
    (1.0, 0.0)
    """
    second = float(np.mean(value**2)) if value.size else 0.0
    if second == 0.0:
        return 0.0, 0.0
    kurtosis = float(np.mean(value**4)) / second**2
    return sqrt(second), 0.5 * sqrt(max(kurtosis - 1.0, 0.0) / value.size)


RULE = Rule(
    code="FAN701",
    name="scheme-mismatch",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN103", "FAN104", "FAN802"),
    is_weighed=True,
)
