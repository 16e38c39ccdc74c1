"""The scales of weights with a duty of their own: tables, gates, routers, heads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING

from fanin.theory.moments import Moments

if TYPE_CHECKING:
    from fanin.graph.graph import Node
    from fanin.prescription.choosing.embedded import Rows
    from fanin.prescription.choosing.families import Family
    from fanin.prescription.prescription import Part

HEAD_RMS = 0.2
"""Of the logits: cross-entropy starts s²/2 = 0.02 above the ignorant predictor's at
most, give or take what chance lets the logits know of a small batch's classes, and the
gradients of the body, which all pass through the head, are not starved."""
ROUTER_RMS = 0.1


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The scale of one weight.

    scheme: "he", "glorot", "lecun" or "normal". gain: std = gain/√fan of the scheme.
    std: of an entry. target: root mean square of the output. reason: why.
    family: of the activation that it reads or, for the first layer, feeds. law: that
    it is drawn from where the caller asks for none; mirrored, n_blocks, parts: as in
    Prescription. is_calibrated: a batch may correct the std.
    """

    scheme: str
    gain: float
    std: float
    target: float
    reason: str
    family: Family | None = None
    law: str = "normal"
    mirrored: tuple[int, ...] = ()
    n_blocks: int = 1
    parts: tuple[Part, ...] = ()
    is_calibrated: bool = True


@dataclass(frozen=True, kw_only=True)
class Offset:
    """A bias that makes its layer read x − value: the path of its weight, the value."""

    weight: str
    value: float
    reason: str


def scaled(
    node: Node, scheme: str, gain: float, x: Moments, reason: str, family: Family | None
) -> Choice:
    """Turn a gain into a std by the scheme's fan, and say what comes out."""
    if node.weight is None:
        return Choice(scheme=scheme, gain=gain, std=0.0, target=1.0, reason=reason)
    fan = node.weight.fan
    terms = (fan.n_in + fan.n_out) / 2 if scheme == "glorot" else fan.n_in
    std = gain / sqrt(terms)
    target = std * sqrt(fan.n_in * x.second_moment)
    return Choice(
        scheme=scheme, gain=gain, std=std, target=target, reason=reason, family=family
    )


def head_choice(node: Node, x: Moments, choice: Choice, *, factor: float) -> Choice:
    """Scale the head so that the logits have root mean square 0.2.

    factor: by which the model multiplies what the head gives, before it is the output.
    """
    wanted = HEAD_RMS / factor if factor else HEAD_RMS
    sized = scaled(node, "lecun", wanted / x.rms, x, "", choice.family)
    reason = (
        f"Output head: root mean square {wanted:.3g} over an input of {x.rms:.3g}, so "
        "that the model starts as the ignorant predictor."
    )
    if factor != 1.0:
        reason = f"{reason} The model multiplies its output by {factor:.4g}."
    return replace(sized, reason=reason)


def router_choice(node: Node, x: Moments, choice: Choice) -> Choice:
    """Scale a router so that its logits have root mean square 0.1: near even shares."""
    sized = scaled(node, "lecun", ROUTER_RMS / x.rms, x, "", choice.family)
    reason = (
        f"Router: logits of rms {ROUTER_RMS:.3g}, so that each expert is chosen about "
        "equally often and none is starved before it has learned."
    )
    return replace(sized, reason=reason)


def recurrent_choice(node: Node) -> Choice:
    """Keep the length of the state: σ² = 1/n, whatever is added to it at each step."""
    reason = (
        "Recurrent: orthogonal, with std 1/√n for the n units of the state, so that "
        "each block of n rows keeps the state's length over many steps on average "
        "(Saxe et al. 2013; Le et al. 2015)."
    )
    return scaled(node, "lecun", 1.0, Moments(), reason, None)


def embedding_choice(rows: Rows) -> Choice:
    """One row is one vector: an entry of the output is an entry of the table."""
    return Choice(
        scheme="normal",
        gain=rows.std,
        std=rows.std,
        target=rows.std,
        reason=rows.reason,
        is_calibrated=False,
    )
