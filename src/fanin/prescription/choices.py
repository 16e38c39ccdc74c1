"""The scales of weights with a duty of their own: tables, gates, routers, heads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.roles import RoleKind
from fanin.theory.moments import Moments

if TYPE_CHECKING:
    from fanin.graph.graph import Node
    from fanin.graph.roles import Role
    from fanin.prescription.families import Family

HEAD_RMS = 0.1


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The scale of one weight.

    scheme: "he", "glorot", "lecun" or "normal". gain: std = gain/√fan of the scheme.
    std: of an entry. target: root mean square of the output. reason: why.
    family: of the activation that it reads or, for the first layer, feeds. law: that
    it is drawn from where the caller asks for none; mirrored: as in Prescription.
    """

    scheme: str
    gain: float
    std: float
    target: float
    reason: str
    family: Family | None = None
    law: str = "normal"
    mirrored: tuple[int, ...] = ()


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


def head_choice(
    node: Node, x: Moments, choice: Choice, *, spread: float = 1.0
) -> Choice:
    """Scale the head so that the output's root mean square is 0.1·spread."""
    wanted = HEAD_RMS * spread
    sized = scaled(node, "lecun", wanted / x.rms, x, "", choice.family)
    reason = (
        f"Output head: root mean square {wanted:.3g} over an input of {x.rms:.3g}, so "
        "that the model starts as the ignorant predictor."
    )
    return replace(sized, reason=reason)


def router_choice(node: Node, x: Moments, choice: Choice) -> Choice:
    """Scale a router so that its logits have root mean square 0.1: near even shares."""
    sized = scaled(node, "lecun", HEAD_RMS / x.rms, x, "", choice.family)
    reason = (
        f"Router: logits of rms {HEAD_RMS:.3g}, so that each expert is chosen about "
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


def embedding_choice(node: Node, role: Role) -> Choice:
    """One row is one vector: entries of std 1/√k where k tables are added."""
    n_units = 1.0 if node.weight is None else node.weight.fan.n_out
    if role.kind is RoleKind.TIED_EMBEDDING:
        std = 1.0 / sqrt(n_units)
        reason = (
            "Embedding that is the head too: 1/√width, so that logits of a normalized "
            "input have variance 1 at most."
        )
        return Choice(scheme="normal", gain=1.0, std=std, target=std, reason=reason)
    std = 1.0 / sqrt(role.n_summed)
    reason = "Rows are looked up: an entry of the output is one entry of the table."
    if role.n_summed > 1:
        reason = f"{reason} {role.n_summed} tables are added, so 1/√{role.n_summed}."
    return Choice(scheme="normal", gain=std, std=std, target=std, reason=reason)
