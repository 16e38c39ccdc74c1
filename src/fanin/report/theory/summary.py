"""The finding in a paragraph: the phase, and what follows for depth."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING

from fanin.report.theory.words import short
from fanin.theory import Stability

if TYPE_CHECKING:
    from fanin.theory import FixedPoint, Portrait


def title_of(portrait: Portrait) -> str:
    """Give the heading: the activation and its two numbers."""
    w = portrait.field.weight_variance**0.5
    b = portrait.field.bias_variance**0.5
    name = portrait.field.nonlinearity.name
    name = "the function" if name == "<lambda>" else name
    return f"Mean field theory of {name} at σ_w = {short(w)}, σ_b = {short(b)}"


def summary_of(portrait: Portrait) -> str:
    """Give the verdict, in two to four sentences."""
    point = portrait.point
    if point is None:
        return _without(portrait)
    return " ".join(
        filter(None, (_where(portrait, point), _phase(point), _deep(point)))
    )


def _without(portrait: Portrait) -> str:
    q = short(portrait.q)
    if portrait.settles == inf:
        return (
            f"Second moments that start at {q} grow without bound: no fixed point lies "
            "above them. A deep net of this start overflows, or lives on its "
            "normalization."
        )
    return f"Second moments that start at {q} find no fixed point: they go round."


def _where(portrait: Portrait, point: FixedPoint) -> str:
    start = short(portrait.q)
    if point.stability is Stability.EVERYWHERE:
        return f"Every second moment is kept, {start} too."
    if point.q == 0.0:
        how = "by a power law of depth" if point.slope == 1.0 else "exponentially"
        return f"Second moments that start at {start} fall to 0, {how}."
    if not point.attracts:
        return (
            f"The second moment {start} is kept, but the least error of scale grows: "
            f"V′ = {short(point.slope)} > 1, the fixed point repels."
        )
    return f"Second moments that start at {start} settle at q* = {short(point.q)}."


def _phase(point: FixedPoint) -> str:
    growth = short(point.growth)
    if point.phase == "edge of chaos":
        return "χ₁ = 1: the edge of chaos. Gradients neither grow nor vanish."
    if point.phase == "ordered":
        alike = "" if point.q == 0.0 else "two inputs become alike, and "
        return (
            f"The phase is ordered: {alike}squared gradients are multiplied by "
            f"χ₁ = {growth} a layer, and vanish."
        )
    if not isfinite(point.growth):
        return "φ jumps: two inputs part however near they are."
    return (
        f"The phase is chaotic: two inputs part, to a correlation of "
        f"{short(point.correlation)}, and squared gradients are multiplied by "
        f"χ₁ = {growth} a layer."
    )


def _deep(point: FixedPoint) -> str:
    from fanin.theory import trainable_depth

    depth = trainable_depth(point)
    if depth == 0.0:
        return ""
    if depth == inf:
        return "No depth scale limits how deep such a net can train; width does."
    return f"As a guide, such nets train to about {max(depth, 1.0):.0f} layers."
