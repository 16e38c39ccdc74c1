"""Small histograms in a grid on one scale: a row a scheme, a column a layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.report.svg.axes import SMALL
from fanin.report.svg.element import drawing, element, line, short, text, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.report.svg.axes import Frame
    from fanin.report.svg.style import Style

N_BINS = 31
CELL_WIDTH, CELL_HEIGHT = 92.0, 46.0


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """The counts of one cell. Values beyond the range stand in the outermost bins.

    >>> Histogram.of([-9.0, 0.0, 0.0], (-1.0, 1.0)).counts[15]
    2
    """

    counts: tuple[int, ...]
    note: str = ""

    @classmethod
    def of(
        cls, values: Sequence[float], span: tuple[float, float], *, note: str = ""
    ) -> Histogram:
        """Count values into equal bins over the span; NaN is left out.

        Args:
            values: any number of them.
            span: low and high end of the scale.
            note: written in the cell, above the bars.
        """
        low, high = span
        counts = [0] * N_BINS
        for value in values:
            if math.isnan(value):
                continue
            share = min(max((value - low) / (high - low), 0.0), 1.0)
            counts[min(int(share * N_BINS), N_BINS - 1)] += 1
        return cls(counts=tuple(counts), note=note)


def histogram_grid(
    rows: Sequence[tuple[str, Style, Sequence[Histogram]]],
    frame: Frame,
    *,
    columns: Sequence[str],
    span: tuple[float, float],
) -> str:
    """Draw a grid of histograms over one span; each is as tall as its fullest bin.

    Heights follow the square root of the counts, as in Tukey's rootogram: beside the
    half of a ReLU's values that is 0, the other half can still be seen.

    Args:
        rows: name, look and cells of each row.
        frame: title and description; the size follows from rows and columns.
        columns: names above the cells.
        span: low and high end of the shared scale, written under each column.
    """
    left = 14 + max((width_of(name) for name, _, _ in rows), default=0.0)
    gap, top = 14.0, 52.0
    parts = [text(frame.title, 0, 14, font_weight=600)]
    for j, name in enumerate(columns):
        x = left + j * (CELL_WIDTH + gap)
        parts.append(
            text(name, x, top - 12, fill="var(--quiet)", font_size=SMALL),
        )
    for i, (name, style, cells) in enumerate(rows):
        y = top + i * (CELL_HEIGHT + 12)
        middle = y + CELL_HEIGHT / 2 + 8
        parts.append(text(name, left - 12, middle, text_anchor="end"))
        parts += [
            _cell(cell, style, left + j * (CELL_WIDTH + gap), y)
            for j, cell in enumerate(cells)
        ]
    bottom = top + len(rows) * (CELL_HEIGHT + 12) + 4
    for j in range(len(columns)):
        x = left + j * (CELL_WIDTH + gap)
        parts += [
            _tick(short(span[0]), x, bottom, "start"),
            _tick(short(span[1]), x + CELL_WIDTH, bottom, "end"),
        ]
    return drawing(
        *parts,
        width=left + len(columns) * (CELL_WIDTH + gap) - gap + 2,
        height=bottom + 10,
        title=frame.title,
        description=frame.description,
    )


def _tick(words: str, x: float, y: float, anchor: str) -> str:
    return text(
        words.replace("-", "−"), x, y + 4,
        text_anchor=anchor, fill="var(--quiet)", font_size=11,
    )  # fmt: skip


def _cell(cell: Histogram, style: Style, x: float, y: float) -> str:
    """Draw one histogram as one path, so that three hundred of them stay small."""
    most = max(cell.counts, default=0)
    base = y + CELL_HEIGHT
    parts = [line(x, base, x + CELL_WIDTH, base, stroke="var(--quiet)")]
    if most:
        step = CELL_WIDTH / len(cell.counts)
        path = f"M{short(x)} {short(base)}"
        for k, count in enumerate(cell.counts):
            height = base - (CELL_HEIGHT - 4) * math.sqrt(count / most)
            path += f"V{short(height)}H{short(x + (k + 1) * step)}"
        parts.append(
            element(
                "path", d=path + f"V{short(base)}Z",
                fill=style.colour, fill_opacity=0.75,
            )
        )  # fmt: skip
    if cell.note:
        parts.append(
            text(
                cell.note, x + CELL_WIDTH, y + 9, text_anchor="end",
                fill="var(--quiet)", font_size=11,
                paint_order="stroke", stroke="var(--paper)", stroke_width=3,
            )
        )  # fmt: skip
    return "".join(parts)
