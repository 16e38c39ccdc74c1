"""The plane as the net sees it: the probability of each class, and the points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.lab.engine.plane import EDGE
from fanin.lab.engine.reading import N_PROBE
from fanin.lab.panels.side import Panel
from fanin.report.page import figure, number, table
from fanin.report.svg.element import drawing, element, text
from fanin.report.svg.raster import picture
from fanin.report.svg.style import Style, markers

if TYPE_CHECKING:
    from fanin.lab.panels.side import Scene, Side

SIZE: Final = 300.0
TOP: Final = 24.0
MOST_POINTS: Final = 150
ONE = (0, 114, 178)
ZERO = (213, 94, 0)
PALE = (250, 250, 250)
KEY: Final = "Blue and circles: one class; red and squares: the other; pale: undecided."
LOOKS: Final = (
    Style(colour="#8f3f00", dash="", marker="square"),
    Style(colour="#00446b", dash="", marker="circle"),
)
"""Of the points: darker than the ground of their own class, in light and dark alike."""


def _boundary(scene: Scene) -> str:
    sides = [side for side in scene.sides if side.frame.plane is not None]
    if not sides:
        return ""
    said = f"{scene.said(_words)} {KEY}"
    rows = [
        (side.label, 100 * side.frame.reading.accuracy, side.frame.reading.loss)
        for side in sides
    ]
    return figure(
        *(_drawn(scene, side) for side in sides),
        caption=said,
        numbers=table(("net", "% right", "loss"), rows, caption="On the probe"),
    )


def _words(side: Side) -> str:
    reading = side.frame.reading
    n_points = len(side.data.targets[:N_PROBE])
    return f"{number(100 * reading.accuracy)} % of {n_points} points lie on their side."


def _drawn(scene: Scene, side: Side) -> str:
    shares = side.frame.plane.shares if side.frame.plane else np.zeros((1, 1))
    pixels = [[_colour(share) for share in row] for row in shares[::-1].tolist()]
    title = f"Decision boundary{f' of {side.label}' if scene.is_pair else ''}"
    ground = picture(pixels, 0.0, TOP, SIZE, SIZE)
    frame = element(
        "rect", x=0.0, y=TOP, width=SIZE, height=SIZE, fill="none",
        stroke="var(--quiet)",
    )  # fmt: skip
    return drawing(
        text(title, 0, 14, font_weight=600),
        ground,
        frame,
        *(_points(side, kind) for kind in (0, 1)),
        width=SIZE,
        height=TOP + SIZE + 2,
        title=title,
        description=_words(side),
    )


def _points(side: Side, kind: int) -> str:
    """Draw the first training samples of one class."""
    x = side.data.inputs[:MOST_POINTS]
    kept = x[side.data.targets[:MOST_POINTS] == kind]
    places = [
        ((across + EDGE) / (2 * EDGE) * SIZE, TOP + (EDGE - up) / (2 * EDGE) * SIZE)
        for across, up in kept.tolist()
        if max(abs(across), abs(up)) < EDGE
    ]
    return markers(LOOKS[kind], places, 2.6)


def _colour(share: float) -> tuple[int, int, int]:
    """Mix a class's colour with pale paper, by how sure the net is; NaN is grey."""
    if share != share:
        return (128, 128, 128)
    sure = 0.75 * abs(2 * share - 1)
    ink = ONE if share > 0.5 else ZERO
    red, green, blue = (
        round(p + sure * (i - p)) for p, i in zip(PALE, ink, strict=True)
    )
    return red, green, blue


BOUNDARY = Panel(name="boundary", draw=_boundary)
