"""A heat-map as a picture inside the drawing: a few kilobytes for any size.

Eighteen thousand rectangles weigh a megabyte; the same numbers as an inline PNG weigh
three kilobytes. Colours are a fit to matplotlib's cividis, which reads alike with and
without red-green blindness and grows lighter all along.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fanin.report.svg.axes import Axes, Frame, left_margin
from fanin.report.svg.element import drawing, text
from fanin.report.svg.raster import picture
from fanin.report.svg.scale import Scale, range_of

if TYPE_CHECKING:
    from collections.abc import Sequence

# Cividis at nine even steps (Nuñez, Anderton & Renslow 2018).
CIVIDIS = (
    (0, 34, 78), (26, 56, 111), (65, 77, 107), (94, 98, 110), (123, 121, 120),
    (153, 146, 114), (186, 172, 105), (220, 200, 84), (254, 232, 56),
)  # fmt: skip
MISSING = (204, 102, 119)


def colour(share: float) -> tuple[int, int, int]:
    """Give the colour of a share in [0, 1], linear between the steps; NaN stands out.

    >>> colour(0.0), colour(1.0)
    ((0, 34, 78), (254, 232, 56))
    """
    if math.isnan(share):
        return MISSING
    place = min(max(share, 0.0), 1.0) * (len(CIVIDIS) - 1)
    step = min(int(place), len(CIVIDIS) - 2)
    low, high = CIVIDIS[step], CIVIDIS[step + 1]
    red, green, blue = (
        round(a + (b - a) * (place - step)) for a, b in zip(low, high, strict=True)
    )
    return red, green, blue


def heat_map(
    values: Sequence[Sequence[float]], frame: Frame, *, value_label: str
) -> str:
    """Draw a matrix, its first row at the bottom.

    Args:
        values: rows of equal length; NaN, or 0 on a log scale, is drawn apart.
        frame: words and size; ``is_log`` makes the colours follow the logarithm.
        value_label: what the colour means, with its unit.
    """
    low, high = range_of(
        (v for row in values for v in row), is_log=frame.is_log, pad=0.0
    )
    tone = Scale(low=low, high=high, start=0.0, end=1.0, is_log=frame.is_log)

    def shade(value: float) -> tuple[int, int, int]:
        return colour(tone(value) if tone.can_show(value) else math.nan)

    y = Scale(low=0.5, high=len(values) + 0.5, start=frame.height - 44, end=52.0)
    x = Scale(
        low=0.5, high=len(values[0]) + 0.5, start=left_margin(y), end=frame.width - 84
    )
    axes = Axes(x=x, y=y, x_label=frame.x_label, y_label=frame.y_label)
    rows = [[shade(value) for value in row] for row in reversed(values)]
    bar = [[colour(1 - k / 63)] for k in range(64)]
    left, top, height = x.end + 22, y.end, y.start - y.end
    marks = "".join(
        text(words, left + 18, place + 4, fill="var(--quiet)", font_size=11)
        for value, words in tone.ticks
        for place in [y.start - tone(value) * height]
    )
    return drawing(
        text(frame.title, 0, 14, font_weight=600),
        text(
            value_label, frame.width, 36,
            text_anchor="end", fill="var(--quiet)", font_size=12,
        ),
        axes.draw(),
        picture(rows, x.start, top, x.end - x.start, height),
        picture(bar, left, top, 12, height),
        marks,
        width=frame.width, height=frame.height,
        title=frame.title, description=frame.description,
    )  # fmt: skip
