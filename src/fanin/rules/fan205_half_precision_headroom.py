"""FAN205 half-precision-headroom.

## What it finds
Signals that float16 cannot hold with room to spare: over a tenth of its largest number,
65 504, or of root mean square over 1000; or a stream so small that its numbers lose
digits, under 6.1·10⁻⁵.

## Why it hurts
The weights grow in training, and outliers with them: what starts near the limit
overflows, and the loss scaler skips step after step. What is too small is rounded away.

## When it is fine
In bfloat16, which has the range of float32: there the limits are those of float32.
Branches that start small are left out; only the stream is judged for being too small.

## Example
    fanin.check(model, images_from_0_to_255, precision="float16")

## Use instead
    fanin.init(model, batch)         # signals of size 1

## Assumptions
Needs `precision="float16"`, or parameters of that type. Measured in the types that the
model was run in; sums inside a matrix product are kept in float32.

## Source
IEEE 754 (2019), table 3.5: emax = 15, 11 digits. Micikevicius et al., "Mixed Precision
Training" (2018), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING, Final

from fanin.graph.graph import Op
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.trunk import scale_paths
from fanin.rules.words import name_of, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph import Node
    from fanin.rules.inspection import Inspection


@dataclass(frozen=True, kw_only=True)
class Range:
    """What a number format holds.

    largest, smallest: of its normal numbers. loudest: the root mean square under which
    a Gaussian signal of 10⁹ entries (6.4 of them out) keeps a tenth of the range free.
    """

    largest: float
    smallest: float

    @property
    def most(self) -> float:
        """Give a tenth of the largest number: room to grow in training."""
        return self.largest / 10.0

    @property
    def loudest(self) -> float:
        """Give the root mean square of a Gaussian signal whose outliers reach `most`.

        >>> 1000 < RANGES["float16"].loudest < 1100
        True
        """
        return self.most / OUTLIER


# Of 10⁹ standard normal numbers the largest is about √(2 ln 10⁹) = 6.4.
OUTLIER: Final = 6.4
RANGES: Final = {
    "float16": Range(largest=65504.0, smallest=2.0**-14),
    "bfloat16": Range(largest=(2.0 - 2.0**-7) * 2.0**127, smallest=2.0**-126),
}
SAME: Final = 1e-12
BEARING: Final = frozenset({Op.LINEAR, Op.CONTRACT, Op.ADD, Op.MULTIPLY})


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for the loudest place, and one for the quietest of the stream."""
    precision = _precision(inspection)
    if precision not in RANGES:
        return
    held = RANGES[precision]
    loud = [n for n in _judged(inspection) if _excess(inspection, n, held) > 1.0]
    if loud:
        worst = max(loud, key=lambda node: _excess(inspection, node, held))
        value, most = _loudest(inspection, worst, held)
        yield _finding(inspection, precision, worst, len(loud), value, (0.0, most))
    stream = [n for n in inspection.trunk.nodes if n.op in BEARING]
    quiet = [n for n in stream if 0.0 < _size(inspection, n) < held.smallest]
    if quiet:
        worst = min(quiet, key=lambda node: _size(inspection, node))
        yield _finding(
            inspection,
            precision,
            worst,
            len(quiet),
            _size(inspection, worst),
            (held.smallest, inf),
        )


def _precision(inspection: Inspection) -> str | None:
    """Give the half type that the model computes in, told or its parameters' own."""
    if inspection.precision is not None:
        return inspection.precision
    dtypes = {p.dtype for p in inspection.parameters if p.path in inspection.values}
    return dtypes.pop() if len(dtypes) == 1 else None


def _judged(inspection: Inspection) -> list[Node]:
    """Give the places whose numbers a half type will hold; masked scores are none."""
    graph = inspection.graph
    return [
        node
        for node in graph.nodes
        if node.op in BEARING
        and node.id in inspection.sites
        and inspection.sites[node.id].is_finite
        and not _is_masked(inspection, node)
        and not _is_fixed(inspection, node)
    ]


def _is_masked(inspection: Inspection, node: Node) -> bool:
    """Say whether it is a sum on its way into a softmax: a mask puts −∞ there."""
    if node.op is not Op.ADD:
        return False
    return any(r.op is Op.SOFTMAX for r in inspection.graph.consumers(node.id))


def _is_fixed(inspection: Inspection, node: Node) -> bool:
    """Say whether it is the same for all samples: a start value of −10³⁸, no signal."""
    is_batch = inspection.measured.batch_size > 1
    return is_batch and inspection.sites[node.id].input_share < SAME


def _size(inspection: Inspection, node: Node) -> float:
    site = inspection.sites.get(node.id)
    return 0.0 if site is None or not site.is_finite else sqrt(site.second_moment)


def _excess(inspection: Inspection, node: Node, held: Range) -> float:
    """Give how far the place is over its limits: over 1 is too far."""
    value, most = _loudest(inspection, node, held)
    return value / most


def _loudest(inspection: Inspection, node: Node, held: Range) -> tuple[float, float]:
    """Give the worse of the largest number and the root mean square, and its limit."""
    largest = (inspection.sites[node.id].maximum, held.most)
    usual = (_size(inspection, node), held.loudest)
    return max(largest, usual, key=lambda pair: pair[0] / pair[1])


def _finding(
    inspection: Inspection,
    precision: str,
    node: Node,
    n_places: int,
    value: float,
    interval: tuple[float, float],
) -> Finding:
    is_loud = interval[0] == 0.0
    what = "large" if is_loud else "small"
    return Finding(
        code=RULE.code,
        name=RULE.name,
        severity=RULE.severity,
        where=name_of(node),
        message=f"The output of {name_of(node)} is too {what} for {precision}.",
        measured=f"largest {number(inspection.sites[node.id].maximum)}, root mean "
        f"square {number(_size(inspection, node))}; {n_places} such places",
        expected=f"a largest number under {number(RANGES[precision].most)}, a root "
        f"mean square under {number(RANGES[precision].loudest)}"
        if is_loud
        else f"a root mean square over {number(interval[0])}",
        why="It overflows as training makes the weights grow."
        if is_loud
        else "Numbers under the smallest normal one lose their digits.",
        fix="Give each weight the scale of its activation: fanin.init(model, batch). "
        "Or compute in bfloat16.",
        source=node.source,
        paths=scale_paths(inspection.trunk),
        value=value,
        interval=interval,
    )


RULE = Rule(
    code="FAN205",
    name="half-precision-headroom",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN101", "FAN201", "FAN203", "FAN204", "FAN501", "FAN802", "FAN901"),
)
