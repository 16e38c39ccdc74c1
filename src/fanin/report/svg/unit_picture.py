"""Units as a picture: a row a layer, a pixel a unit, coloured by how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fanin.report.svg.axes import SMALL
from fanin.report.svg.element import drawing, line, text, width_of
from fanin.report.svg.raster import Colour, picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.report.svg.axes import Frame

TALLEST: Final = 640.0
LEAST_TALL: Final = 3.0
MOST_TALL: Final = 18.0
TOP: Final = 30.0
LEAST_RULED: Final = 8.0
"""Rows as tall as this are parted by a rule."""
MOST_ACROSS: Final = 256
LEAST_BETWEEN_WORDS: Final = 14.0


@dataclass(frozen=True, kw_only=True)
class UnitRow:
    """One layer. marks: a letter or number for each unit. note: written at its end."""

    name: str
    marks: Sequence[object]
    note: str = ""


def unit_picture(
    rows: Sequence[UnitRow], colours: Mapping[object, Colour], frame: Frame
) -> str:
    """Draw rows of units from top to bottom, each as wide as the picture.

    Rows are named as long as their names fit; of many, every few.

    Args:
        rows: in order of running; each has one unit or more.
        colours: of each mark.
        frame: title, description and width.
    """
    tall = min(max(TALLEST / len(rows), LEAST_TALL), MOST_TALL)
    every = max(1, round(LEAST_BETWEEN_WORDS / tall + 0.49))
    left = 12 + max(width_of(row.name, SMALL) for row in rows)
    left = min(left, frame.width * 0.45)
    right = frame.width - 10 - max(width_of(row.note, SMALL) for row in rows)
    bottom = TOP + len(rows) * tall
    pixels = [
        [colours[mark] for mark in _resampled(row.marks, MOST_ACROSS)] for row in rows
    ]
    parts = [
        text(frame.title, 0, 14, font_weight=600),
        picture(pixels, left, TOP, right - left, bottom - TOP),
    ]
    for place, row in enumerate(rows):
        y = TOP + place * tall
        if place and tall > LEAST_RULED:
            parts.append(line(left, y, right, y, stroke="var(--paper)", stroke_width=2))
        if place % every == 0:
            middle = y + tall / 2 + 4
            parts += [
                text(_short(row.name, left - 10), left - 8, middle,
                     text_anchor="end", fill="var(--quiet)", font_size=SMALL),
                text(row.note, right + 8, middle, fill="var(--quiet)",
                     font_size=SMALL),
            ]  # fmt: skip
    parts.append(line(left, bottom + 1, right, bottom + 1, stroke="var(--quiet)"))
    return drawing(
        *parts, width=frame.width, height=bottom + 6, title=frame.title,
        description=frame.description,
    )  # fmt: skip


def _resampled(marks: Sequence[object], n_columns: int) -> list[object]:
    """Give so many marks, each the nearest: rows of one picture are equally wide.

    >>> _resampled("01", 5)
    ['0', '0', '0', '1', '1']
    """
    return [marks[k * len(marks) // n_columns] for k in range(n_columns)]


def _short(words: str, room: float) -> str:
    """Cut a name at its front: what stands last in a path tells layers apart."""
    while len(words) > 1 and width_of(words, SMALL) > room:
        words = "…" + words[2:]
    return words
