"""How series are told apart: colour, dash, marker, all three at once.

The colours are Okabe and Ito's (2008) that stand out 3 to 1 from white paper; on dark
paper their lighter kin. They are CSS variables, set in ``page.css``.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.report.svg.element import drawing, element, line, short

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Style:
    """A look. colour: a CSS colour; dash: as SVG has it, "" for solid; marker: a shape.

    >>> STYLES[0].marker
    'circle'
    """

    colour: str
    dash: str
    marker: str


STYLES = (
    Style(colour="var(--s1)", dash="", marker="circle"),
    Style(colour="var(--s2)", dash="7 3", marker="square"),
    Style(colour="var(--s3)", dash="2 3", marker="triangle"),
    Style(colour="var(--s4)", dash="9 3 2 3", marker="diamond"),
    Style(colour="var(--s5)", dash="5 5", marker="cross"),
    Style(colour="var(--s6)", dash="1 4", marker="ring"),
    Style(colour="var(--s1)", dash="3 2", marker="bar"),
    Style(colour="var(--s2)", dash="12 4", marker="ring"),
    Style(colour="var(--s3)", dash="", marker="cross"),
    Style(colour="var(--s4)", dash="4 2", marker="circle"),
)
"""Looks in the order in which series take them; no two are alike in dash and marker."""


def style_of(index: int) -> Style:
    """Give the look of the series of that number; from the eleventh on they repeat."""
    return STYLES[index % len(STYLES)]


def markers(
    style: Style, places: Sequence[tuple[float, float]], size: float = 3.4
) -> str:
    """Give the markers of a series as one path: hundreds of them stay small.

    Args:
        style: its look.
        places: centres, in the drawing's units.
        size: half their width.

    >>> markers(STYLES[1], [(5.0, 5.0)], size=2.0)
    '<path d="M5 5m-1.8 -1.8h3.6v3.6h-3.6z" fill="var(--s2)"/>'
    """
    shape = _shape(style.marker, size)
    path = "".join(f"M{short(x)} {short(y)}{shape}" for x, y in places)
    if style.marker in {"cross", "bar"}:
        return element(
            "path", d=path, stroke=style.colour, stroke_width=1.8, fill="none"
        )
    if style.marker == "ring":
        return element(
            "path", d=path, fill="var(--paper)", stroke=style.colour, stroke_width=1.6
        )
    return element("path", d=path, fill=style.colour)


def _shape(kind: str, size: float) -> str:
    """Give a marker as path commands relative to its centre."""
    s, t = short(0.9 * size), short(1.8 * size)
    match kind:
        case "square":
            return f"m-{s} -{s}h{t}v{t}h-{t}z"
        case "triangle":
            high, half = short(1.15 * size), short(1.1 * size)
            return f"m0 -{high}l{half} {short(2 * size)}h-{short(2.2 * size)}z"
        case "diamond":
            r = short(1.25 * size)
            return f"m0 -{r}l{r} {r}l-{r} {r}l-{r} -{r}z"
        case "cross":
            return f"m-{s} -{s}l{t} {t}m0 -{t}l-{t} {t}"
        case "bar":
            return f"m0 -{short(1.2 * size)}v{short(2.4 * size)}"
        case _:
            r = short(size if kind == "circle" else size - 0.4)
            d = short(2 * size if kind == "circle" else 2 * size - 0.8)
            return f"m-{r} 0a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0"


def sample(style: Style, words: str) -> str:
    """Give a short piece of a series' line, for a key."""
    return drawing(
        line(
            0, 8, 42, 8,
            stroke=style.colour, stroke_width=2, stroke_dasharray=style.dash or None,
        ),
        markers(style, [(21.0, 8.0)], 4.2),
        width=42, height=16, title=words, description=f"The look of {words}",
    )  # fmt: skip


def key(entries: Sequence[tuple[str, Style]]) -> str:
    """Give a list of series and their looks, to stand above several charts."""
    items = "".join(
        f"<li>{sample(style, words)}<span>{html.escape(words)}</span></li>"
        for words, style in entries
    )
    return f'<ul class="key">{items}</ul>'


def standalone(svg: str) -> str:
    """Give a drawing that holds its own colours, to be saved as a file of its own."""
    return svg.replace(">", f"><style>{_COLOURS}</style>", 1)


_COLOURS = (
    "svg{--paper:#fff;--ink:#1c1f24;--quiet:#595f69;--line:#d9dce1;--wash:#f5f6f8;"
    "--s1:#0072b2;--s2:#d55e00;--s3:#009e73;--s4:#cc79a7;--s5:#6b7280;--s6:#1c1f24;"
    "background:var(--paper);font-family:system-ui,sans-serif}"
    "@media(prefers-color-scheme:dark){svg{--paper:#16181d;--ink:#e8eaee;"
    "--quiet:#a4abb6;--line:#363b45;--wash:#1e2128;--s1:#56a9e0;--s2:#f0803c;"
    "--s3:#2fc295;--s4:#dc94bd;--s5:#9aa2ae;--s6:#e8eaee}}"
)
