"""The phase diagram: which (σ_w, σ_b) is ordered, chaotic or without bound."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from fanin.report.svg.axes import Axes
from fanin.report.svg.element import drawing, element, short, text
from fanin.report.svg.scale import Scale
from fanin.report.svg.style import Style, key, markers
from fanin.theory import Phase, edge_line, phase_diagram

if TYPE_CHECKING:
    from fanin.theory import EdgePoint, PhaseDiagram, Portrait

WIDTH: Final = 480.0
HEIGHT: Final = 330.0
N_COLUMNS: Final = 90
N_ROWS: Final = 60
FILLS: Final = {
    Phase.ORDERED: ("var(--s1)", 0.16),
    Phase.EDGE: ("var(--ink)", 0.3),
    Phase.CHAOTIC: ("var(--s2)", 0.22),
    Phase.WITHOUT_BOUND: ("var(--s5)", 0.45),
}
NAMES: Final = {
    Phase.ORDERED: "ordered",
    Phase.EDGE: "edge",
    Phase.CHAOTIC: "chaotic",
    Phase.WITHOUT_BOUND: "without bound",
}
HERE: Final = Style(colour="var(--ink)", dash="", marker="diamond")
LINE: Final = Style(colour="var(--ink)", dash="", marker="none")
DASHED: Final = Style(colour="var(--ink)", dash="4 4", marker="none")


def phase_figure(portrait: Portrait) -> str:
    """Draw the phases that depth leads to, the edge of chaos, and this net."""
    field = portrait.field
    here = (field.weight_variance**0.5, field.bias_variance**0.5)
    x, y = _scales(portrait, here)
    steps_x = [
        x.low + (k + 0.5) / N_COLUMNS * (x.high - x.low) for k in range(N_COLUMNS)
    ]
    steps_y = [y.low + (k + 0.5) / N_ROWS * (y.high - y.low) for k in range(N_ROWS)]
    found = phase_diagram(field.nonlinearity, steps_x, steps_y, portrait.q)
    axes = Axes(x=x, y=y, x_label="σ_w", y_label="σ_b")
    edge = edge_line(field.nonlinearity)
    body = [
        text("Phases", 0, 14, font_weight=600),
        _cells(found, x, y),
        axes.draw(),
        *_edges(edge, x, y),
        _names(found, x, y),
        markers(HERE, [(x(here[0]), y(here[1]))], 5.0),
    ]
    shown = ", ".join(
        f"{NAMES[phase]} {float((found.cells == phase).mean()):.0%}" for phase in Phase
    )
    return drawing(
        *body,
        width=WIDTH,
        height=HEIGHT,
        title="Phases",
        description=f"σ_w from {x.low:.2g} to {x.high:.2g}, σ_b from 0 to "
        f"{y.high:.2g}. Shares of the area: {shown}. This net: σ_w = {here[0]:.3g}, "
        f"σ_b = {here[1]:.3g}.",
    )


def phase_key() -> str:
    """Give the key of the lines and the mark."""
    return key(
        [
            ("this net", HERE),
            ("χ₁ = 1, attracts", LINE),
            ("χ₁ = 1, repels", DASHED),
        ]
    )


def _scales(portrait: Portrait, here: tuple[float, float]) -> tuple[Scale, Scale]:
    """Hold this net and its edge of chaos in view, where they are near."""
    edges = [e.sigma_w for e in portrait.edges if e.sigma_w < 4.0 * max(here[0], 1.0)]
    high_w = 1.3 * max(here[0], 2.0, *edges)
    high_b = 1.3 * max(here[1], 0.8)
    x = Scale(low=0.02 * high_w, high=high_w, start=46.0, end=WIDTH - 12.0)
    y = Scale(low=0.0, high=high_b, start=HEIGHT - 44.0, end=52.0)
    return x, y


def _cells(found: PhaseDiagram, x: Scale, y: Scale) -> str:
    """Give each row as runs of one phase: a few rectangles a row."""
    n_rows, n_columns = found.cells.shape
    wide, tall = (x.end - x.start) / n_columns, (y.start - y.end) / n_rows
    parts = []
    for row, cells in enumerate(found.cells):
        column = 0
        for phase, run in groupby(cells):
            n = len(list(run))
            colour, opacity = FILLS[Phase(int(phase))]
            parts.append(
                element(
                    "rect",
                    x=x.start + column * wide,
                    y=y.start - (row + 1) * tall,
                    width=n * wide,
                    height=tall,
                    fill=colour,
                    fill_opacity=opacity,
                    shape_rendering="crispEdges",
                )
            )
            column += n
    return "".join(parts)


def _names(found: PhaseDiagram, x: Scale, y: Scale) -> str:
    """Write each phase's name into the middle of its longest row near the top."""
    n_rows, n_columns = found.cells.shape
    parts = []
    for phase in (Phase.ORDERED, Phase.CHAOTIC, Phase.WITHOUT_BOUND):
        row = int(n_rows * (0.9 if phase != Phase.CHAOTIC else 0.75))
        columns = (found.cells[row] == phase).nonzero()[0]
        if len(columns) < n_columns // 8:
            continue
        place = x.start + (columns.mean() + 0.5) / n_columns * (x.end - x.start)
        height = y.start - (row + 0.5) / n_rows * (y.start - y.end)
        parts.append(
            text(
                NAMES[phase], float(place), float(height), text_anchor="middle",
                paint_order="stroke", stroke="var(--paper)", stroke_width=3,
            )
        )  # fmt: skip
    return "".join(parts)


def _edges(edge: tuple[EdgePoint, ...], x: Scale, y: Scale) -> list[str]:
    """Give the edge of chaos, dashed where its fixed point repels."""
    parts = []
    for attracts, run in groupby(edge, key=lambda point: point.attracts):
        places = [
            (x(point.sigma_w), y(point.sigma_b))
            for point in run
            if x.low <= point.sigma_w <= x.high and point.sigma_b <= y.high
        ]
        if len({(round(a, 2), round(b, 2)) for a, b in places}) == 1:
            a, b = places[0]
            parts.append(element("circle", cx=a, cy=b, r=4.5, fill="none",
                                 stroke="var(--ink)", stroke_width=1.8))  # fmt: skip
        elif places:
            path = "M" + "L".join(f"{short(a)} {short(b)}" for a, b in places)
            parts.append(
                element(
                    "path", d=path, fill="none", stroke="var(--ink)", stroke_width=1.8,
                    stroke_dasharray=None if attracts else "4 4",
                )
            )  # fmt: skip
    return parts
