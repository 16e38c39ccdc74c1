"""A table that is the head too, at many widths: where its two scales can be reconciled.

As a table its entries are of size 1 at any width; as a head they would have to fall as
1/n. The paper keeps them at 1 and multiplies the output by 1/n (Yang et al. 2022,
Table 8 and appendix B.1). Where the model has no such number, the gain of a
normalization that only the head reads can be it: W·(g·x) = g·(W·x), so a gain and a
shift of 1/n, learning 1/n as fast, are the same function trained in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fanin.graph.flow import is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.walks import MOVING, forward
from fanin.prescription.widening.transfer import (
    adam,
    is_drawn,
    sgd,
    with_rates,
    with_std,
)
from fanin.prescription.widening.wide import CLOSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph.graph import Node
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.widening.wide import Wide


@dataclass(frozen=True, kw_only=True)
class Tie:
    """One table that is the head too.

    factor: after the lookup, over the base's. wider: the width over the base's.
    missing: what the output has still to be multiplied by, over the base's; 1 where
    the model does so itself. carrier: the normalization whose gain can, or None.
    """

    path: str
    factor: float
    wider: float
    missing: float
    carrier: Node | None


def ties(found: Wide) -> Iterator[Tie]:
    """Yield the tables that are the head too, and what their outputs lack."""
    for path, _, head, after_lookup, around_head in found.tied():
        wider = found.growths[path].n_out
        missing = after_lookup / (around_head * wider)
        is_right = abs(missing - 1.0) <= CLOSE
        yield Tie(
            path=path,
            factor=after_lookup,
            wider=wider,
            missing=1.0 if is_right else missing,
            carrier=None if is_right else carrier_of(found.desk, head),
        )


def carrier_of(desk: Desk, head: Node) -> Node | None:
    """Give the normalization before a head whose gain nothing else reads, if any."""
    flow = desk.flow
    before = flow.root(head)
    if before is None or before.op is not Op.NORMALIZE or before.scale is None:
        return None
    readers = forward(flow, before, lambda n: n.op in MOVING or is_affine(n))
    if {reader.id for _, reader in readers} != {head.id}:
        return None
    for name in (before.scale, before.bias):
        parameter = None if name is None else desk.graph.parameter(name)
        if parameter is None:
            continue
        if not desk.is_open(parameter) or desk.roles[parameter.path].n_uses > 1:
            return None
    return before


def reconciled(found: Wide, tie: Tie) -> dict[str, Prescription]:
    """Give the table, and what carries the factor that its output lacks."""
    growth, own = found.growths[tie.path], found.own[tie.path]
    if tie.missing != 1.0 and tie.carrier is None:
        return {tie.path: _compromise(own, found.stds[tie.path], tie)}
    table = with_rates(own, adam(growth, tie.factor), sgd(growth, tie.factor))
    if is_drawn(own) and found.stds[tie.path] > 0.0:
        reason = (
            "Embedding that is the head too: the base's std at every width, as its "
            "rows are looked up; the output is multiplied by 1/width instead."
        )
        table = with_std(table, found.stds[tie.path] / tie.factor, reason)
    return {tie.path: table} | _carried(found, tie)


def _carried(found: Wide, tie: Tie) -> dict[str, Prescription]:
    """Let the gain and the shift of a normalization carry the missing factor."""
    if tie.carrier is None:
        return {}
    graph, details = found.desk.graph, tie.carrier.details
    offset, factor = details.get("gain_offset", 0.0), details.get("gain_factor", 1.0)
    done = {}
    for name in (tie.carrier.scale, tie.carrier.bias):
        if name is None:
            continue
        path = graph.parameter(name).path
        own, growth = found.own[path], found.growths[path]
        rated = with_rates(
            own,
            adam(growth) * tie.missing,
            sgd(growth) * tie.missing**2,
        )
        is_gain = name == tie.carrier.scale
        shift, times = (offset, factor) if is_gain else (0.0, 1.0)
        reason = (
            f"Carries the output multiplier {tie.missing:.4g} of the embedding that is "
            "the head too (base width over width), which the model has no number for."
        )
        done[path] = multiplied(rated, tie.missing, shift, times, reason)
    return done


def multiplied(
    p: Prescription, number: float, offset: object, factor: object, reason: str
) -> Prescription:
    """Multiply factor·w + offset by a number, where all entries w are one.

    >>> from fanin.prescription.prescription import Prescription
    >>> gain = Prescription(
    ...     path="norm.weight",
    ...     shape=(3,),
    ...     dtype="float32",
    ...     role="norm gain",
    ...     scheme="zeros",
    ...     law="constant",
    ...     reason="",
    ... )
    >>> multiplied(gain, 0.25, 1.0, 1.0, "Carries 1/4.").value
    -0.75
    """
    if not isinstance(offset, int | float) or not isinstance(factor, int | float):
        offset, factor = 0.0, 1.0
    value = (number * (factor * p.value + offset) - offset) / (factor or 1.0)
    if value == p.value:
        return p
    scheme = f"constant({value:.6g})"
    return replace(p, value=value, scheme=scheme, law="constant", reason=reason)


def _compromise(own: Prescription, std: float, tie: Tie) -> Prescription:
    """Keep the output from growing, at the cost of a table that learns slowly."""
    rated = with_rates(own, 1.0 / tie.wider, 1.0 / tie.wider)
    if not is_drawn(own) or std == 0.0:
        return rated
    reason = (
        "Embedding that is the head too, in a model that multiplies its output by no "
        "1/width: std 1/√width, as a compromise."
    )
    return with_std(rated, std / tie.wider**0.5, reason)


def tie_warnings(found: Wide) -> tuple[str, ...]:
    """Warn of outputs that lack a factor which nothing can carry."""
    return tuple(
        f"{tie.path!r} is embedding and head in one: at this width the output has to "
        f"be multiplied by {tie.missing:.4g}, and neither the model nor the gain of a "
        "normalization before the head does so. Multiply the logits by base width / "
        "width, or untie the two; until then the table learns too slowly."
        for tie in ties(found)
        if tie.missing != 1.0 and tie.carrier is None
    )
