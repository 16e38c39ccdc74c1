"""One number beside what was expected of it: a dot, and a band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fanin.report.svg.axes import SMALL
from fanin.report.svg.element import drawing, element, line, text, width_of
from fanin.report.svg.scale import Scale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH, HEIGHT, MARGIN = 340.0, 58.0, 46.0
MOST: Final = 1e300
APART: Final = 20.0
"""Numbers farther apart than this factor are set on a logarithmic scale."""


def interval_picture(
    value: float,
    interval: tuple[float, float],
    *,
    written: Callable[[float], str],
) -> str:
    """Draw a measured number and the interval that it was expected in.

    What lies beyond every scale (infinity, NaN) is an arrow at the end.

    Args:
        value: the measured number.
        interval: low and high end; infinite where it is open.
        written: gives a number's words.
    """
    low, high = interval
    shown = [x for x in (value, low, high) if _is_shown(x)]
    scale = _scale(shown)
    middle = 22.0
    start, end = (_held(scale, x) for x in (low, high))
    is_inside = low <= value <= high
    colour = "var(--good)" if is_inside else "var(--bad)"
    dot = _held(scale, value)
    words = (
        f"Measured {written(value)}, expected from {written(low)} to {written(high)}."
    )
    parts = [
        line(scale.start, middle, scale.end, middle, stroke="var(--quiet)"),
        element(
            "rect", x=min(start, end), y=middle - 7, width=max(abs(end - start), 2.0),
            height=14.0, rx=2, fill="var(--s3)", fill_opacity=0.3,
            stroke="var(--s3)",
        ),
        _dot(dot, middle, colour, is_beyond=not _is_shown(value)),
        _word(written(value), dot, 10.0, "var(--ink)", font_weight=600),
        *_ends([(start, written(low)), (end, written(high))], middle + 24),
    ]  # fmt: skip
    return drawing(
        *parts, width=WIDTH, height=HEIGHT, title="Measured and expected",
        description=words,
    )  # fmt: skip


def _is_shown(value: float) -> bool:
    """Say whether a number has a place: NaN and what is beyond all scales have none."""
    return -MOST <= value <= MOST


def _scale(shown: Sequence[float]) -> Scale:
    low, high = (min(shown), max(shown)) if shown else (0.0, 1.0)
    is_log = low > 0.0 and high / low > APART
    if low == high:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    return Scale(low=low, high=high, start=MARGIN, end=WIDTH - MARGIN, is_log=is_log)


def _held(scale: Scale, value: float) -> float:
    """Give a value's place; what has none stands outside the scale's end."""
    if value != value or value > MOST:
        return scale.end + MARGIN / 2
    if value < -MOST or not scale.can_show(value):
        return scale.start - MARGIN / 2
    return scale(value)


def _dot(x: float, y: float, colour: str, *, is_beyond: bool) -> str:
    if is_beyond:
        return element("path", d=f"M{x - 5:.1f} {y - 6:.1f}l10 6l-10 6z", fill=colour)
    return element("circle", cx=x, cy=y, r=5.0, fill=colour)


def _ends(ends: Sequence[tuple[float, str]], y: float) -> list[str]:
    """Give the words of both ends, moved apart where they would touch."""
    (left, low), (right, high) = ends
    need = (width_of(low, SMALL) + width_of(high, SMALL)) / 2 + 8
    if right - left < need:
        both = low if low == high else f"{low} – {high}"
        return [_word(both, (left + right) / 2, y, "var(--quiet)")]
    return [_word(low, left, y, "var(--quiet)"), _word(high, right, y, "var(--quiet)")]


def _word(words: str, x: float, y: float, fill: str, **more: object) -> str:
    half = width_of(words, SMALL) / 2
    held = min(max(x, half), WIDTH - half)
    return text(
        words, held, y, text_anchor="middle", fill=fill, font_size=SMALL, **more
    )
