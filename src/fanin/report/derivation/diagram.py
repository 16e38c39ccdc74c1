"""The net of a case as a drawing: starting weights on the edges, twins tinted alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.svg.element import drawing, element, text, width_of
from fanin.report.svg.style import style_of

if TYPE_CHECKING:
    from fanin.derivation.records import Diagram, Edge

COLUMN, ROW, RADIUS, MARGIN = 210.0, 92.0, 24.0, 64.0
MOST_LABELLED = 6


def network(diagram: Diagram) -> str:
    """Draw the net; edges that never move are dashed, others carry their first step."""
    tallest = max(diagram.widths)
    height = tallest * ROW + 24
    width = (len(diagram.widths) - 1) * COLUMN + 2 * MARGIN
    is_small = len(diagram.edges) <= MOST_LABELLED
    edges = [
        _edge(diagram, edge, height, is_labelled=is_small) for edge in diagram.edges
    ]
    units = [
        _unit(diagram, layer, unit, height, is_labelled=is_small)
        for layer, n_units in enumerate(diagram.widths)
        for unit in range(n_units)
    ]
    return drawing(
        *edges,
        *units,
        width=width,
        height=height,
        title=f"The {'-'.join(map(str, diagram.widths))} net at its start",
        description=_described(diagram),
    )


def _described(diagram: Diagram) -> str:
    stuck = sum(edge.moves is None for edge in diagram.edges)
    return (
        f"{len(diagram.edges)} weights, of which {stuck} never move (dashed). Hidden "
        "units of a layer with the same number and colour stay equal for ever."
    )


def _place(
    diagram: Diagram, layer: int, unit: int, height: float
) -> tuple[float, float]:
    n_units = diagram.widths[layer]
    return (
        MARGIN + layer * COLUMN,
        height / 2 + (unit - (n_units - 1) / 2) * ROW - 8,
    )


def _edge(diagram: Diagram, edge: Edge, height: float, *, is_labelled: bool) -> str:
    x1, y1 = _place(diagram, edge.layer - 1, edge.source - 1, height)
    x2, y2 = _place(diagram, edge.layer, edge.target - 1, height)
    is_stuck = edge.moves is None
    stroke = element(
        "line",
        x1=x1,
        y1=y1,
        x2=x2,
        y2=y2,
        stroke="var(--s5)" if is_stuck else "var(--s1)",
        stroke_width=1.6,
        stroke_dasharray="5 5" if is_stuck else None,
    )
    if not is_labelled:
        return stroke
    at = 0.3 if edge.source != edge.target else 0.36
    words = f"{edge.label} = {edge.value}" if edge.label != edge.value else edge.label
    x, y = x1 + at * (x2 - x1) + 16, y1 + at * (y2 - y1)
    wide = width_of(words, 12)
    box = element(
        "rect", x=x - wide / 2, y=y - 10, width=wide, height=16.0, fill="var(--paper)"
    )
    label = text(words, x, y + 3, font_size=12, text_anchor="middle")
    return stroke + box + label


def _unit(
    diagram: Diagram, layer: int, unit: int, height: float, *, is_labelled: bool
) -> str:
    x, y = _place(diagram, layer, unit, height)
    is_hidden = 0 < layer < len(diagram.widths) - 1
    block = diagram.blocks[layer][unit]
    colour = style_of(block).colour if is_hidden else "var(--ink)"
    circle = element(
        "circle",
        cx=x,
        cy=y,
        r=RADIUS,
        fill="var(--paper)",
        stroke=colour,
        stroke_width=2.5 if is_hidden else 1.5,
    )
    tint = element("circle", cx=x, cy=y, r=RADIUS - 1, fill=colour, opacity=0.18)
    name = str(block + 1) if is_hidden else diagram.values[layer][unit].split(" = ")[0]
    parts = [circle, tint if is_hidden else ""]
    parts.append(text(name, x, y + 5, text_anchor="middle", font_weight=600))
    if is_hidden or layer > 0:
        words = diagram.values[layer][unit]
        if is_labelled and len(words) < 40 and words != "ŷ = ŷ":
            below = y + RADIUS + 16
            parts.append(text(words, x, below, text_anchor="middle", font_size=12))
    return "".join(parts)
