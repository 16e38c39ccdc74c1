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
A weight whose output the batch shows to be of the right size is not reported, whatever
its std: rows can be centred, or mirrored.
n is the fan-in, the fan-out, or their mean: each of the three is in use. The gain may
lie anywhere between the forward gain, the backward gain and 1/φ′(0).

## Source
Glorot & Bengio (2010), equation 12; He, Zhang, Ren & Sun (2015), equations 10 and 14.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.activations import identify
from fanin.graph.roles import RoleKind
from fanin.rules.gains import TOLERANCE, GainRange, gain_range
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.sampled import root_mean_square, sampled
from fanin.rules.words import listing, number, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fanin.graph import SiteStatistics, Weight
    from fanin.rules.inspection import Inspection

STANDARD_ERRORS = 5.0
MOSTLY, LEAST_SHARE = 0.9, 0.01  # of a second moment, between samples
MOST_READ = 1 << 16  # entries
# ln of a ratio: a small layer's std scatters by some percent.
DEFAULT_TOLERANCE = 0.1
# Where the scale is chosen by activations and by nothing else. A first layer is not:
# its input has been through none, so that it needs no factor for one.
BY_ACTIVATION = {RoleKind.HIDDEN}


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """A weight and what its activation asks for.

    std: of the weight; n_in: its fan-in; gains: the sound ones. off: |ln| of the ratio
    to the nearest sound std.
    """

    path: str
    std: float
    n_in: float
    gains: GainRange
    off: float

    @property
    def sum_of_variances(self) -> float:
        """Give n_in·Var(w), the number that the theory speaks of."""
        return self.n_in * self.std**2

    @property
    def asked(self) -> str:
        """Give the sound values of n_in·Var(w): one, or a range."""
        return span(self.gains.least**2, self.gains.greatest**2)


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for all weights that do not fit their activation."""
    pairs = _weights(inspection)
    found = [m for pair in pairs if (m := _mismatch(inspection, *pair)) is not None]
    if not found:
        return
    paths = tuple(m.path for m in found)
    worst = max(found, key=lambda m: m.off)
    root = sqrt(worst.n_in)
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=RULE.severity,
        where=listing(paths),
        message=f"n_in·Var(w) of {worst.path} is {number(worst.sum_of_variances)}"
        f"{_known_as(worst)}; {worst.gains.name} asks for {worst.asked}.",
        measured=f"std {number(worst.std)} with {worst.n_in:.0f} inputs"
        + (f"; {len(found)} weights do not fit" if len(found) > 1 else ""),
        expected=f"std {span(worst.gains.least / root, worst.gains.greatest / root)}",
        why="The factor repeats in every layer, and depth makes it a power.",
        fix="Use the scheme of the activation (He for ReLU, Glorot for tanh): "
        "fanin.init(model).",
        source=source_of(inspection.graph, worst.path),
        paths=paths,
        value=worst.std,
        interval=(worst.gains.least / root, worst.gains.greatest / root),
        mends=(*paths, *_biases_beside(inspection, paths)),
    )


def _biases_beside(inspection: Inspection, paths: Sequence[str]) -> tuple[str, ...]:
    """Give the trained biases of these weights: their size was chosen with them."""
    known = set(inspection.trainable)
    beside = {
        node.weight.path: node.bias
        for node in inspection.graph.linears
        if node.weight is not None and node.bias in known
    }
    found = (beside.get(path) for path in paths)
    return tuple(dict.fromkeys(bias for bias in found if bias is not None))


def span(least: float, greatest: float) -> str:
    """Give one number, or two with "to" between them where they differ in print.

    >>> span(2.0, 2.0000001), span(1.0, 2.5)
    ('2', '1 to 2.5')
    """
    ends = dict.fromkeys((number(least), number(greatest)))
    return " to ".join(ends)


def _known_as(mismatch: Mismatch) -> str:
    """Say so if the weight is as PyTorch's layers make it: U(±1/√n_in)."""
    is_default = abs(log(mismatch.sum_of_variances * 3.0)) < DEFAULT_TOLERANCE
    return " (PyTorch's default)" if is_default else ""


def _weights(inspection: Inspection) -> list[tuple[Weight, GainRange]]:
    """Give each weight that an activation of its own judges, with the sound gains."""
    graph = inspection.graph
    kinds = inspection.roles
    found: dict[str, tuple[Weight, GainRange]] = {}
    sound: dict[int, GainRange] = {}
    for node in graph.linears:
        if node.weight is None or node.weight.path not in inspection.trainable:
            continue
        role = kinds.get(node.weight.path)
        if role is None or role.kind not in BY_ACTIVATION or role.is_scale_free:
            continue
        activation = None if role.activation is None else graph.node(role.activation)
        if activation is not None and activation.function is not None:
            function = activation.function
            if id(function) not in sound:
                sound[id(function)] = gain_range(identify(function))
            found[node.weight.path] = (node.weight, sound[id(function)])
    return list(found.values())


def _mismatch(
    inspection: Inspection, weight: Weight, gains: GainRange
) -> Mismatch | None:
    """Compare a weight's std with the nearest sound one; None if it is near enough."""
    std, error = std_with_error(inspection.values[weight.path])
    if std == 0.0:
        return None
    fans = (weight.fan.n_in, weight.fan.n_out, (weight.fan.n_in + weight.fan.n_out) / 2)
    least = gains.least / sqrt(max(fans))
    greatest = gains.greatest / sqrt(min(fans))
    off = abs(log(std / min(max(std, least), greatest)))
    if off < max(log(TOLERANCE), STANDARD_ERRORS * error):
        return None
    if any(_is_sound(g, gains) for g in measured_gains(inspection, weight.path)):
        return None
    return Mismatch(
        path=weight.path, std=std, n_in=weight.fan.n_in, gains=gains, off=off
    )


def _is_sound(gain: float, gains: GainRange) -> bool:
    return gains.least / TOLERANCE <= gain <= gains.greatest * TOLERANCE


def measured_gains(inspection: Inspection, path: str) -> tuple[float, ...]:
    """Give the gain √(E[(W·x)²]/E[x²]) that the batch shows, in each way to take it.

    It is √(n_in·Var(w)) where the weights are independent of one another and of what
    enters; it is not where rows are centred or mirrored, or where an average was taken
    before. So it is measured for all of the signal without the bias, and for what
    differs between samples; against what the weight reads, and what that was made of.
    """
    role = inspection.roles[path]
    if role.node is None:
        return ()
    node = inspection.graph.node(role.node)
    after = inspection.sites.get(node.id)
    befores = [inspection.sites.get(i) for i in {*node.inputs[:1], role.origin or -1}]
    if after is None:
        return ()
    bias = inspection.values.get(node.bias or "")
    shift = 0.0 if bias is None else root_mean_square(bias) ** 2
    if after.between_samples > MOSTLY * after.second_moment:
        shift = 0.0  # The bias takes a mean away: what is left is signal.
    moments = [
        pair
        for before in befores
        if before is not None
        for pair in (
            (after.second_moment - shift, before.second_moment),
            (_signal(after), _signal(before)),
        )
    ]
    return tuple(sqrt(out / into) for out, into in moments if out > 0.0 and into > 0.0)


def _signal(site: SiteStatistics) -> float:
    """Give what differs between samples; 0 where rounding is as large."""
    is_clear = site.between_samples > LEAST_SHARE * site.second_moment
    return site.between_samples if is_clear else 0.0


def std_with_error(value: np.ndarray) -> tuple[float, float]:
    """Give √E[w²] and its relative standard error, ½·√((κ − 1)/n).

    κ = E[w⁴]/E[w²]² is 3 for a normal law and 9/5 for a uniform one. Of a large array
    so many entries are read that the error is 0.28 % for a normal law.

    >>> std_with_error(np.array([[1.0, -1.0], [1.0, -1.0]]))
    (1.0, 0.0)
    """
    squares = np.square(sampled(value, MOST_READ))
    second = float(np.mean(squares)) if squares.size else 0.0
    if second == 0.0:
        return 0.0, 0.0
    kurtosis = float(np.mean(np.square(squares))) / second**2
    return sqrt(second), 0.5 * sqrt(max(kurtosis - 1.0, 0.0) / squares.size)


RULE = Rule(
    code="FAN701",
    name="scheme-mismatch",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN103", "FAN104", "FAN702", "FAN802"),
    is_weighed=True,
)
