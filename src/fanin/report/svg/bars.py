"""Bars with intervals: one row each, the number beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.report.svg.axes import SMALL
from fanin.report.svg.element import drawing, element, line, text, width_of
from fanin.report.svg.scale import Scale
from fanin.report.svg.style import Style, markers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.report.svg.axes import Frame

ROW = 34.0


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One row. value: how long; low, high: its interval; words: written at its end."""

    label: str
    value: float
    style: Style
    words: str
    low: float | None = None
    high: float | None = None


def bar_chart(bars: Sequence[Bar], frame: Frame) -> str:
    """Draw rows of bars, from top to bottom, that start at the range's low end.

    The range is [0, 1] unless the frame says otherwise; the height follows from the
    number of rows.
    """
    x_range, width = frame.x_range or (0.0, 1.0), frame.width
    left = 14 + max((width_of(bar.label) for bar in bars), default=0.0)
    right = width - 8 - max((width_of(bar.words) for bar in bars), default=0.0)
    x = Scale(low=x_range[0], high=x_range[1], start=left, end=right)
    top, bottom = 46.0, 46.0 + ROW * len(bars)
    parts = [text(frame.title, 0, 14, font_weight=600)]
    for value, words in x.ticks:
        parts += [
            line(x(value), top, x(value), bottom),
            text(
                words, x(value), bottom + 17,
                text_anchor="middle", fill="var(--quiet)", font_size=SMALL,
            ),
        ]  # fmt: skip
    parts.append(
        text(
            frame.x_label, right, bottom + 36,
            text_anchor="end", fill="var(--quiet)", font_size=SMALL,
        )
    )  # fmt: skip
    parts += [_row(bar, x, top + ROW * (i + 0.5)) for i, bar in enumerate(bars)]
    if frame.marked:
        parts += _mark(x, frame.marked, top, bottom)
    return drawing(
        *parts,
        width=width,
        height=bottom + 44,
        title=frame.title,
        description=frame.description,
    )


def _row(bar: Bar, x: Scale, middle: float) -> str:
    end = min(max(x(bar.value), x.start), x.end)
    parts = [
        text(bar.label, x.start - 10, middle + 4.5, text_anchor="end"),
        element(
            "rect", x=x.start, y=middle - 7, width=max(end - x.start, 0.5), height=14.0,
            fill=bar.style.colour, fill_opacity=0.28,
        ),
    ]  # fmt: skip
    if bar.low is not None and bar.high is not None:
        a, b = (min(max(x(v), x.start), x.end) for v in (bar.low, bar.high))
        parts.append(
            line(a, middle, b, middle, stroke=bar.style.colour, stroke_width=2.2)
        )
        parts += [
            line(
                place, middle - 4, place, middle + 4,
                stroke=bar.style.colour, stroke_width=2.2,
            )
            for place in (a, b)
        ]  # fmt: skip
    parts.append(markers(bar.style, [(end, middle)], 4.2))
    parts.append(text(bar.words, x.end + 10, middle + 4.5))
    return "".join(parts)


def _mark(x: Scale, marked: tuple[float, str], top: float, bottom: float) -> list[str]:
    value, words = marked
    place = x(value)
    return [
        line(
            place, top - 4, place, bottom, stroke="var(--ink)", stroke_dasharray="2 3"
        ),
        text(words, place + 4, top - 8, fill="var(--quiet)", font_size=SMALL),
    ]
