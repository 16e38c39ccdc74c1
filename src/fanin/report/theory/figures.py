"""The charts of the lesson: both maps, second moments and gradients by layer."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.report.svg import STYLES, Frame, Line, Style, key, line_chart
from fanin.report.theory.words import short
from fanin.theory import correlation_map

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.theory import Portrait

DIAGONAL: Final = Style(colour="var(--quiet)", dash="2 4", marker="bar")
CURVE: Final = STYLES[0]
WAY: Final = Style(colour="var(--s2)", dash="", marker="square")
ATTRACTS: Final = Style(colour="var(--s3)", dash="", marker="circle")
REPELS: Final = Style(colour="var(--s2)", dash="", marker="ring")
N_POINTS: Final = 81
N_CORRELATIONS: Final = 41
APART: Final = 30.0
"""Fixed points farther apart than this factor need a logarithmic axis."""
SHOWN: Final = (1e-12, 1e12)


def moment_map(portrait: Portrait) -> str:
    """Draw V(q) against the diagonal, with its fixed points."""
    field = portrait.field
    places = [p.q for p in portrait.points if p.q > 0.0]
    known = [*places, portrait.q]
    is_log = max(known) / min(known) > APART
    low, high = (
        (min(known) / 10, max(known) * 10) if is_log else (0.0, 2.0 * max(known))
    )
    q = _spaced(low, high, is_log=is_log)
    values = [field.next_moment(x) for x in q]
    marks = [
        Line(label="", x=[p.q], y=[p.q], style=_look(p.attracts), has_stroke=False,
             marks="all")
        for p in portrait.points
        if low <= p.q <= high and not (is_log and p.q == 0.0)
    ]  # fmt: skip
    words = ", ".join(
        f"{short(p.q)} ({'attracts' if p.attracts else 'repels'})"
        for p in portrait.points
    )
    frame = Frame(
        title="The map of second moments",
        description=f"V(q) against the diagonal. Fixed points: {words or 'none'}.",
        x_label="q, second moment of a layer",
        y_label="V(q), of the next",
        x_is_log=is_log,
        is_log=is_log,
        x_range=(low, high),
        y_range=(low, high),
    )
    lines = [
        Line(label="V = q", x=q, y=q, style=DIAGONAL, marks="none"),
        Line(label="V(q)", x=q, y=values, style=CURVE, marks="none"),
        *marks,
    ]
    return line_chart(lines, frame)


def moments_by_layer(portrait: Portrait) -> str:
    """Draw second moments by layer, from several starts."""
    lines = [
        Line(
            label=f"q = {short(start)}",
            x=range(1, len(values) + 1),
            y=[v if SHOWN[0] <= v <= SHOWN[1] else float("nan") for v in values],
            style=STYLES[k % 4],
        )
        for k, (start, values) in enumerate(sorted(portrait.moments.items()))
    ]
    ends = ", ".join(
        f"{short(values[-1])} from {short(start)}"
        for start, values in sorted(portrait.moments.items())
    )
    frame = Frame(
        title="Second moments by layer",
        description=f"After {portrait.depth} layers: {ends}.",
        x_label="layer",
        y_label="q",
        is_log=True,
        y_range=_bounds(lines),
    )
    return line_chart(lines, frame)


def correlations(portrait: Portrait) -> str:
    """Draw C(c), the diagonal, and the way of two inputs from c = 0 or 0.9."""
    found = correlation_map(portrait.field, portrait.settles)
    c = [float(x) for x in np.linspace(-1.0, 1.0, N_CORRELATIONS)]
    start = 0.9 if portrait.point is not None and portrait.point.growth > 1.0 else 0.0
    way = _staircase(portrait.correlations[start])
    lines = [
        Line(label="C = c", x=c, y=c, style=DIAGONAL, marks="none"),
        Line(label="C(c)", x=c, y=[found(x) for x in c], style=CURVE, marks="none"),
        Line(label="", x=way[0], y=way[1], style=WAY, marks="none"),
    ]
    frame = Frame(
        title="The map of correlations",
        description=f"C(c) against the diagonal, and the way from c = {start:g}.",
        x_label="c of two inputs in a layer",
        y_label="C(c), in the next",
        x_range=(-1.0, 1.0),
        y_range=(-1.0, 1.0),
    )
    return line_chart(lines, frame)


def correlations_by_layer(portrait: Portrait) -> str:
    """Draw the correlation of two inputs by layer, from several starts."""
    lines = [
        Line(label=f"c = {start:g}", x=range(1, len(cs) + 1), y=cs, style=STYLES[k])
        for k, (start, cs) in enumerate(portrait.correlations.items())
    ]
    ends = ", ".join(
        f"{short(cs[-1])} from {start:g}" for start, cs in portrait.correlations.items()
    )
    frame = Frame(
        title="Correlations by layer",
        description=f"After {portrait.depth} layers: {ends}.",
        x_label="layer",
        y_label="c",
        y_range=(-0.02, 1.02),
    )
    return line_chart(lines, frame)


def gradients_by_layer(portrait: Portrait) -> str:
    """Draw squared gradients by layer, relative to the last layer."""
    values = portrait.gradients
    line = Line(label="", x=range(1, len(values) + 1), y=values, style=CURVE)
    frame = Frame(
        title="Squared gradients by layer",
        description=f"At layer 1 {short(values[0])} times those at the last layer.",
        x_label="layer",
        y_label="E[δ²], last layer = 1",
        is_log=True,
        y_range=_bounds([line], least=10.0),
        width=480.0,
    )
    return line_chart([line], frame)


def keys() -> str:
    """Give the key of the fixed points' marks."""
    return key([("fixed point that attracts", ATTRACTS), ("that repels", REPELS)])


def _spaced(low: float, high: float, *, is_log: bool) -> list[float]:
    space = np.geomspace if is_log else np.linspace
    return [float(x) for x in space(low, high, N_POINTS)]


def _look(attracts: bool) -> Style:  # noqa: FBT001 (a property handed on)
    return ATTRACTS if attracts else REPELS


def _staircase(values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Give the cobweb: up to the curve, across to the diagonal."""
    x, y = [values[0]], [values[0]]
    for here, there in pairwise(values):
        x += [here, there]
        y += [there, there]
    return x, y


def _bounds(lines: Sequence[Line], least: float = 100.0) -> tuple[float, float]:
    """Give a logarithmic range of at least that factor around what can be shown."""
    kept = [
        v for one in lines for v in one.y
        if isfinite(v) and SHOWN[0] <= v <= SHOWN[1]
    ]  # fmt: skip
    low, high = (min(kept), max(kept)) if kept else (0.1, 10.0)
    if high / low < least:
        middle = (low * high) ** 0.5
        low, high = middle / least**0.5, middle * least**0.5
    return low / 1.3, high * 1.3
