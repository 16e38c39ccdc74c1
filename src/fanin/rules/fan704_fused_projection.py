"""FAN704 fused-projection.

## What it finds
Several projections in one weight (queries, keys and values; a gate and what it gates)
that were drawn by Glorot's formula for the weight as a whole: it counts the outputs of
all of them, so that each is smaller than Glorot's formula makes it alone.

## Why it hurts
Little: three square projections in one begin at 0.71 of the std that each would have
alone, so that the logits of attention begin at half the size. Two models that differ
only in how the weights are stored do not begin alike.

## When it is fine
`torch.nn.MultiheadAttention` does so, and its models train. A normalization of queries
and keys takes the factor out.

## Example
    nn.init.xavier_uniform_(self.qkv.weight)       # (3·d, d): std √(2/4d)

## Use instead
    for part in self.qkv.weight.chunk(3):
        nn.init.xavier_uniform_(part)              # (d, d): std √(2/2d)

## Assumptions
The parts are read off the graph, by how the output is cut. The std is that of Glorot's
formula for the whole to five standard errors, and no scheme's for a part.

## Source
Glorot & Bengio (2010), equation 16: n_in and n_out are those of one layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING

from fanin.graph.roles import RoleKind
from fanin.rules.fan701_scheme_mismatch import STANDARD_ERRORS, std_with_error
from fanin.rules.fan702_wrong_fan import LARGEST_ERROR, NUMERATORS
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import count, listing, number, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from fanin.graph import Weight
    from fanin.graph.roles import Role
    from fanin.rules.inspection import Inspection

FUSED = {RoleKind.QKV, RoleKind.GATE_UP}


@dataclass(frozen=True, kw_only=True)
class Fused:
    """A weight of several parts.

    std: as it is; error: its relative standard error. least, most: Glorot's std for its
    parts alone, of the largest and the smallest part.
    """

    path: str
    std: float
    error: float
    least: float
    most: float


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for all weights whose parts were counted as one."""
    found: dict[str, Fused] = {}
    for node in inspection.graph.linears:
        weight = node.weight
        role = None if weight is None else inspection.roles.get(weight.path)
        if weight is None or role is None or weight.path not in inspection.trainable:
            continue
        fused = fused_of(inspection.values[weight.path], weight, role)
        if fused is not None:
            found.setdefault(weight.path, fused)
    if not found:
        return
    paths = tuple(found)
    first = found[paths[0]]
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=RULE.severity,
        where=listing(paths),
        message=f"{count(len(paths), 'weight')} of several projections "
        f"{'was' if len(paths) == 1 else 'were'} drawn by Glorot's formula for all of "
        f"them as one: the std is {number(first.std / first.most)} of each one's own.",
        measured=f"std {number(first.std)} in {first.path}",
        expected=f"std {number(first.most)} for a part alone",
        why="What is stored together begins smaller than what is stored apart.",
        fix="Draw each part by itself: fanin.init(model) does.",
        source=source_of(inspection.graph, first.path),
        paths=paths,
        value=first.std,
        interval=(
            first.least * (1.0 - STANDARD_ERRORS * first.error),
            first.most * (1.0 + STANDARD_ERRORS * first.error),
        ),
    )


def fused_of(value: np.ndarray, weight: Weight, role: Role) -> Fused | None:
    """Say whether Glorot's formula was taken for all parts of a weight at once."""
    sizes = [part.size * n_runs(role, part.period) for part in role.slices]
    if role.kind not in FUSED or len(sizes) < 2:
        return None
    std, error = std_with_error(value)
    if std == 0.0 or error > LARGEST_ERROR:
        return None
    n_in, n_out = weight.fan.n_in, weight.fan.n_out
    margin = 2.0 * max(STANDARD_ERRORS * error, 1e-4)

    def fits(numerator: float, n: float) -> bool:
        return abs(log(std**2 * n / numerator)) < margin

    shares = [size / sum(sizes) for size in sizes]
    alone = [(n_in + share * n_out) / 2.0 for share in shares]
    is_known = any(fits(top, n_in) for top in NUMERATORS.values())
    if is_known or any(fits(1.0, n) for n in alone):
        return None
    if not fits(1.0, (n_in + n_out) / 2.0):
        return None
    return Fused(
        path=weight.path,
        std=std,
        error=error,
        least=1.0 / sqrt(max(alone)),
        most=1.0 / sqrt(min(alone)),
    )


def n_runs(role: Role, period: int) -> int:
    """Give how often a part's units come round, against the longest period.

    >>> from fanin.graph.roles import Role, RoleKind, RoleSlice
    >>> whole = RoleSlice(kind=RoleKind.QUERY, start=0, size=4, period=12)
    >>> n_runs(Role(kind=RoleKind.QKV, evidence="", slices=(whole,)), 12)
    1
    """
    longest = max(part.period for part in role.slices)
    return max(longest // max(period, 1), 1)


RULE = Rule(
    code="FAN704",
    name="fused-projection",
    severity=Severity.INFO,
    find=find,
    page=__doc__,
    hidden_by=("FAN702", "FAN802"),
)
