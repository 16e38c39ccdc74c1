"""A network as a strip of boxes: one a stage, tinted by its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.report.svg.axes import SMALL
from fanin.report.svg.element import drawing, element, line, text, width_of
from fanin.report.svg.scale import Scale, range_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.report.svg.axes import Frame


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One box. name: under it; words: in it; value: sets its tint, None for none.

    is_flagged: outlined and marked "!" (a finding is about it).
    """

    name: str
    words: str = ""
    value: float | None = None
    is_flagged: bool = False


def network_strip(
    stages: Sequence[Stage], frame: Frame, *, most_in_row: int = 8
) -> str:
    """Draw stages from left to right, in as many rows as need be.

    Args:
        stages: in order of execution.
        frame: title and description; with ``is_log`` tints follow the logarithm.
        most_in_row: boxes in a row: a count.
    """
    values = [stage.value for stage in stages if stage.value is not None]
    low, high = range_of(values, is_log=frame.is_log)
    tint = Scale(low=low, high=high, start=0.08, end=0.5, is_log=frame.is_log)
    widest = max((width_of(s.words or s.name) for s in stages), default=40.0)
    widest = max(widest, max((width_of(s.name, SMALL) for s in stages), default=0.0))
    box, gap, tall = widest + 18, 26.0, 84.0
    parts = [text(frame.title, 0, 14, font_weight=600)]
    for i, stage in enumerate(stages):
        row, column = divmod(i, most_in_row)
        x, y = column * (box + gap) + 2, 34 + row * tall
        if column:
            parts.append(_arrow(x - gap, x, y + 19))
        parts.append(_box(stage, tint, (x, y), box))
    n_rows = -(-len(stages) // most_in_row)
    n_columns = min(len(stages), most_in_row)
    return drawing(
        *parts,
        width=n_columns * (box + gap) - gap + 4,
        height=34 + n_rows * tall,
        title=frame.title,
        description=frame.description,
    )


def _box(stage: Stage, tint: Scale, corner: tuple[float, float], width: float) -> str:
    x, y = corner
    has_tint = stage.value is not None and tint.can_show(stage.value)
    opacity = tint(stage.value) if has_tint and stage.value is not None else 0.0
    stroke = "var(--s2)" if stage.is_flagged else "var(--quiet)"
    parts = [
        element(
            "rect", x=x, y=y, width=width, height=38.0, rx=5,
            fill="var(--s1)", fill_opacity=f"{opacity:.3f}",
            stroke=stroke, stroke_width=2.4 if stage.is_flagged else 1,
        ),
        text(stage.words, x + width / 2, y + 24, text_anchor="middle"),
        text(
            ("! " if stage.is_flagged else "") + stage.name, x + width / 2, y + 56,
            text_anchor="middle", fill="var(--quiet)", font_size=SMALL,
        ),
    ]  # fmt: skip
    return "".join(parts)


def _arrow(start: float, end: float, y: float) -> str:
    head = f"M{end - 9:.1f} {y - 4:.1f}L{end - 3:.1f} {y:.1f}L{end - 9:.1f} {y + 4:.1f}"
    return line(start + 3, y, end - 4, y, stroke="var(--quiet)") + element(
        "path", d=head, fill="none", stroke="var(--quiet)"
    )
