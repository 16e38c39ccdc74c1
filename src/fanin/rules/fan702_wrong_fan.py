"""FAN702 wrong-fan.

## What it finds
Weights whose standard deviation is that of He, LeCun or Glorot for a wrong count of
inputs, and of none of them for the right one: a convolution that forgot the size of its
kernel, a stack of matrices whose first axis was taken for the outputs.

## Why it hurts
The scale is off by the square root of the ratio of the counts, in every such layer.

## When it is fine
In front of a normalization, which takes the scale out, and at the end of one of several
residual branches, which are divided by their number (neither reported). Where only
linear maps stand between the weight and a normalization, it is a note. By accident a
std chosen otherwise can equal a formula; the match is to five standard errors, well
under one percent for most layers.

## Example
    experts = torch.empty(8, 256, 512)             # (expert, in, out)
    nn.init.kaiming_normal_(experts)               # takes 256·512 for the fan-in

## Use instead
    for expert in experts:
        nn.init.kaiming_normal_(expert.T)

## Assumptions
Fan-in and fan-out both count as right. Where zero padding leaves out more than half
of a window's terms (maps of one or two positions), or where the batch shows that the
output has unit size or is as large as a right count makes it, nothing is reported.

## Source
He, Zhang, Ren & Sun (2015), equations 10 and 14; the fans from `fanin.graph.fans`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, prod
from typing import TYPE_CHECKING, Final

from fanin.graph.graph import Op
from fanin.rules.fan701_scheme_mismatch import STANDARD_ERRORS, std_with_error
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import listing, number
from fanin.theory.given import padding_share

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from fanin.graph import Graph, Node, Weight
    from fanin.rules.inspection import Inspection

NUMERATORS = {"He": 2.0, "LeCun": 1.0, "PyTorch's default": 1.0 / 3.0}
# A relative error beyond this decides nothing: too many formulas fit.
LARGEST_ERROR = 0.01
# E[y²]/E[x²] is 2, 1 or 1/3 for a right count; a 3 × 3 kernel left out makes it 3 up.
SMALLEST_GAIN, LARGEST_GAIN = 0.25, 2.5
# Around 1, an output's second moment that nobody got by a wrong count.
FACTOR = 2.0
# Beyond this share of padding a std that fits fewer inputs is right.
LARGEST_PADDING = 0.5
LINEAR_MAPS: Final = frozenset({Op.LINEAR, Op.REARRANGE})


@dataclass(frozen=True, kw_only=True)
class WrongFan:
    """scheme: whose formula fits; count: the number it was given for the inputs.

    n_in: the right number. margin: five standard errors of the std, relative.
    severity: a note where the size does not matter. source: where the layer runs.
    """

    path: str
    scheme: str
    count: float
    n_in: float
    std: float
    margin: float
    severity: Severity = Severity.WARNING
    source: str | None = None

    @property
    def factor(self) -> float:
        """Give by how much the variance is too small."""
        return self.count / self.n_in


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for all weights that were given a wrong count.

    Those whose size a normalization takes out again make a note of their own.
    """
    found = list(_wrong(inspection))
    for severity in (RULE.severity, Severity.INFO):
        alike = [w for w in found if w.severity is severity]
        if alike:
            yield _finding(alike, max(alike, key=lambda w: w.factor))


def _wrong(inspection: Inspection) -> Iterator[WrongFan]:
    kinds = inspection.roles
    seen = {
        path
        for path, role in kinds.items()
        if role.is_scale_free or role.n_branches > 1
    }
    for node in inspection.graph.linears:
        weight = node.weight
        if weight is None or weight.path in seen or weight.roles.is_lookup:
            continue
        seen.add(weight.path)
        if padding_share(node) > LARGEST_PADDING or _keeps_size(inspection, node):
            continue
        wrong = wrong_fan(inspection.values[weight.path], weight)
        if wrong is not None:
            is_free = _is_normalized_after(inspection.graph, node)
            severity = Severity.INFO if is_free else RULE.severity
            yield replace(wrong, severity=severity, source=node.source)


def _finding(found: list[WrongFan], worst: WrongFan) -> Finding:
    right = worst.std * worst.factor**0.5
    paths = tuple(w.path for w in found)
    is_note = worst.severity is Severity.INFO
    return Finding(
        code=RULE.code,
        name=RULE.name,
        severity=worst.severity,
        where=listing(paths),
        message=f"The std of {worst.path} fits {worst.scheme} for {worst.count:.0f} "
        f"inputs, but {worst.n_in:.0f} enter each unit.",
        measured=f"std {number(worst.std)}"
        + (
            f"; {len(found)} weights were given a wrong count" if len(found) > 1 else ""
        ),
        expected=f"std {number(right)} for {worst.n_in:.0f} inputs",
        why="The initializer took another axis for the inputs"
        + ("; a normalization further on takes the size out." if is_note else "."),
        fix="Give the initializer the right fan: fanin.init(model).",
        source=worst.source,
        paths=paths,
        value=worst.std,
        interval=(right * (1.0 - worst.margin), right * (1.0 + worst.margin)),
    )


def _is_normalized_after(graph: Graph, node: Node) -> bool:
    """Say whether only linear maps stand between a weight and a normalization.

    No size of the weight reaches the output then.
    """
    readers = graph.consumers(node.id)
    return bool(readers) and all(
        reader.op is Op.NORMALIZE
        or (reader.op in LINEAR_MAPS and _is_normalized_after(graph, reader))
        for reader in readers
    )


def _keeps_size(inspection: Inspection, node: Node) -> bool:
    """Say whether the output is of unit size, or as large as a right count makes it."""
    before = inspection.sites.get(node.inputs[0]) if node.inputs else None
    after = inspection.sites.get(node.id)
    if before is None or after is None or before.second_moment == 0.0:
        return False
    gain = after.second_moment / before.second_moment
    is_unit = 1.0 / FACTOR <= after.second_moment <= FACTOR
    return is_unit or SMALLEST_GAIN <= gain <= LARGEST_GAIN


def wrong_fan(value: np.ndarray, weight: Weight) -> WrongFan | None:
    """Find the wrong count that explains the std where no right one does.

    The wrong counts: the inputs without the kernel, and the product of all axes but
    the first or the last of a weight with three axes or more.
    """
    std, error = std_with_error(value)
    if std == 0.0 or error > LARGEST_ERROR or value.ndim < 3:
        return None
    fan = weight.fan
    outs = (fan.n_out, _unstrided_out(value, weight))
    right = {fan.n_in, *outs, *((fan.n_in + n_out) / 2.0 for n_out in outs)}
    margin = max(STANDARD_ERRORS * error, 1e-4)

    def fits(count: float, numerator: float) -> bool:
        return abs(log(std**2 * count / numerator)) < 2.0 * margin

    if any(fits(n, top) for n in right for top in NUMERATORS.values()):
        return None
    channels = prod(value.shape[i] for i in weight.roles.inputs)
    wrong = {float(channels), *(float(value.size / n) for n in value.shape)} - right
    for count in sorted(wrong):
        for name, top in NUMERATORS.items():
            if fits(count, top):
                return WrongFan(
                    path=weight.path,
                    scheme=name,
                    count=count,
                    n_in=fan.n_in,
                    std=std,
                    margin=margin,
                )
    return None


def _unstrided_out(value: np.ndarray, weight: Weight) -> float:
    """Give the outputs that an input enters where a window stands at every position.

    So initializers count them, which do not know the stride.
    """
    axes = (*weight.roles.outputs, *weight.roles.kernel)
    return float(prod(value.shape[axis] for axis in axes) / weight.roles.groups)


RULE = Rule(
    code="FAN702",
    name="wrong-fan",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN802",),
)
