"""Curves over steps or layers: bands over seeds, log axes, labels at their ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.report.svg.axes import (
    LINE_HEIGHT,
    SMALL,
    Axes,
    Frame,
    left_margin,
    spread,
)
from fanin.report.svg.element import drawing, element, line, short, text, width_of
from fanin.report.svg.ribbon import Cell, ribbon
from fanin.report.svg.scale import Scale, range_of
from fanin.report.svg.style import Style, markers

if TYPE_CHECKING:
    from collections.abc import Sequence

Point = tuple[float, float]
Place = tuple[float, float, bool]
"""x, y, and whether a value stands there; False where a curve meets the frame."""
RIBBON = 14.0  # room for a strip of cells and its flags


@dataclass(frozen=True, kw_only=True)
class Line:
    """One series. x, y: of equal length; NaN, or 0 on a log axis, leaves a gap.

    low, high: a band around it (least and greatest over seeds, say), or empty.
    label: stands at its end; "" for none. has_stroke: joined by a line.
    marks: markers at "some" points, at "all", or at "none".
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    style: Style
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    has_stroke: bool = True
    marks: str = "some"


def line_chart(
    lines: Sequence[Line], frame: Frame, *, cells: Sequence[Cell] = ()
) -> str:
    """Draw curves, the last on top.

    A curve that leaves the frame's ``y_range`` is cut at its edge. One with fewer than
    two points to show (all others 0 on a logarithmic axis) is named under the chart.

    Args:
        lines: the series.
        frame: words, axes and size.
        cells: of a strip above the curves, one at each whole x from 0: what stands
            at that place of the network.
    """
    axes = _axes(lines, frame, lift=16.0 if not cells else 16.0 + RIBBON)
    pieces = [_pieces(axes, one) for one in lines]
    body = [axes.draw(), _rule(axes, frame.marked), ribbon(cells, axes)]
    body += [_band(axes, one) for one in lines]
    body += [_curve(p, one) for p, one in zip(pieces, lines, strict=True)]
    body.append(_labels(axes, lines, pieces))
    absent = [
        one.label
        for one, piece in zip(lines, pieces, strict=True)
        if one.label and not _is_seen(piece)
    ]
    height = frame.height
    if absent:
        words = f"Not on this axis: {', '.join(absent)}"
        body.append(text(words, 0, height + 8, fill="var(--quiet)", font_size=SMALL))
        height += 16
    return drawing(
        text(frame.title, 0, 14, font_weight=600),
        *body,
        width=frame.width,
        height=height,
        title=frame.title,
        description=frame.description,
    )


def _axes(lines: Sequence[Line], frame: Frame, *, lift: float) -> Axes:
    """Fit both scales to the data, and leave room for ticks and labels."""
    values = [v for one in lines for v in (*one.y, *one.low, *one.high)]
    low, high = frame.y_range or range_of(values, is_log=frame.is_log)
    top = 36 + lift
    y = Scale(low=low, high=high, start=frame.height - 44, end=top, is_log=frame.is_log)
    places = [v for one in lines for v in one.x]
    left, right = frame.x_range or range_of(places, is_log=frame.x_is_log, pad=0.0)
    room = max((width_of(one.label) for one in lines), default=0.0) + 24
    x = Scale(
        low=left,
        high=right,
        start=left_margin(y),
        end=frame.width - room,
        is_log=frame.x_is_log,
    )
    return Axes(x=x, y=y, x_label=frame.x_label, y_label=frame.y_label, lift=lift)


def _pieces(axes: Axes, one: Line) -> list[list[Place]]:
    """Cut a series into runs of places inside the frame, ends moved onto its edge."""
    runs: list[list[Place]] = [[]]
    before: Point | None = None
    low, high = sorted((axes.y.start, axes.y.end))
    for value_x, value_y in zip(one.x, one.y, strict=True):
        if not (axes.x.can_show(value_x) and axes.y.can_show(value_y)):
            before = None
            runs.append([])
            continue
        here = (axes.x(value_x), axes.y(value_y))
        is_inside = low <= here[1] <= high
        if before is not None and is_inside != (low <= before[1] <= high):
            runs[-1].append((*_crossing(before, here, low, high), False))
        if is_inside:
            runs[-1].append((*here, True))
        else:
            runs.append([])
        before = here
    return [run for run in runs if run]


def _is_seen(pieces: list[list[Place]]) -> bool:
    """Say whether a series has two values to show; a single one names no curve."""
    return sum(is_value for piece in pieces for _, _, is_value in piece) > 1


def _crossing(a: Point, b: Point, low: float, high: float) -> Point:
    """Give where the way from a to b meets the edge between them."""
    edge = low if min(a[1], b[1]) < low else high
    share = (edge - a[1]) / (b[1] - a[1])
    return a[0] + share * (b[0] - a[0]), edge


def _curve(pieces: list[list[Place]], one: Line) -> str:
    parts = []
    if one.has_stroke:
        path = "".join(
            "M" + "L".join(f"{short(x)} {short(y)}" for x, y, _ in piece)
            for piece in pieces
        )
        if path:
            parts.append(
                element(
                    "path", d=path, fill="none", stroke=one.style.colour,
                    stroke_width=1.8, stroke_linejoin="round",
                    stroke_dasharray=one.style.dash or None,
                )
            )  # fmt: skip
    points = [(x, y) for piece in pieces for x, y, is_value in piece if is_value]
    step = {"all": 1, "none": 0}.get(one.marks, max(1, len(points) // 6))
    if step and points:
        parts.append(markers(one.style, points[step // 2 :: step]))
    return "".join(parts)


def _band(axes: Axes, one: Line) -> str:
    """Give the area between low and high, held inside the frame."""
    if not one.low:
        return ""
    top, bottom = axes.y.end, axes.y.start

    def place(value: float) -> float:
        if not axes.y.can_show(value):
            return bottom
        return min(max(axes.y(value), top), bottom)

    kept = [
        (axes.x(x), place(low), place(high))
        for x, low, high in zip(one.x, one.low, one.high, strict=True)
        if axes.y.can_show(high)
    ]
    there = [f"{short(x)},{short(low)}" for x, low, _ in kept]
    back = [f"{short(x)},{short(high)}" for x, _, high in reversed(kept)]
    if not kept:
        return ""
    points = " ".join(there + back)
    return element(
        "polygon",
        points=points,
        fill=one.style.colour,
        fill_opacity=0.16,
        stroke="none",
    )


def _rule(axes: Axes, marked: tuple[float, str] | None) -> str:
    if marked is None:
        return ""
    value, words = marked
    place = axes.y(value)
    rule = line(
        axes.x.start, place, axes.x.end, place,
        stroke="var(--quiet)", stroke_dasharray="2 4",
    )  # fmt: skip
    name = text(
        words, axes.x.start + 4, place - 5, fill="var(--quiet)", font_size=SMALL
    )
    return rule + name


def _labels(
    axes: Axes, lines: Sequence[Line], pieces: Sequence[list[list[Place]]]
) -> str:
    """Give each line's label: in the margin, or beside the place where it ends."""
    named = [
        (one, piece[-1][-1][:2])
        for one, piece in zip(lines, pieces, strict=True)
        if one.label and _is_seen(piece)
    ]
    is_early = [end[0] < axes.x.end - 30 for _, end in named]
    top, bottom = axes.y.end, axes.y.start
    parts = []
    for group in (True, False):
        chosen = [n for n, early in zip(named, is_early, strict=True) if early is group]
        wanted = [end[1] for _, end in chosen]
        places = spread(wanted, LINE_HEIGHT, top + 2, bottom - 10)
        for (one, end), place in zip(chosen, places, strict=True):
            x = end[0] + 10 if group else axes.x.end + 18
            parts.append(_leader(one.style, end, (x - 3, place)))
            parts.append(
                text(
                    one.label, x, place + 4,
                    paint_order="stroke", stroke="var(--paper)", stroke_width=3,
                )
            )  # fmt: skip
    return "".join(parts)


def _leader(style: Style, end: Point, label: Point) -> str:
    return line(
        end[0] + 1, end[1], *label, stroke=style.colour, stroke_width=1.0,
        stroke_opacity=0.7,
    )  # fmt: skip
