"""The table of panels, in the order in which they stand on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fanin.lab.panels.boundary import BOUNDARY
from fanin.lab.panels.counted import HISTOGRAMS
from fanin.lab.panels.sizes import GRADIENT, LIKENESS, SIGNAL, UNITS
from fanin.lab.panels.training import LOSS, UPDATES
from fanin.report.page import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.lab.panels.side import Panel, Scene, Side

PANELS: Final[tuple[Panel, ...]] = (
    SIGNAL,
    GRADIENT,
    BOUNDARY,
    LOSS,
    HISTOGRAMS,
    UNITS,
    LIKENESS,
    UPDATES,
)
WITH_SPREAD: Final = (SIGNAL.name, GRADIENT.name)
"""Panels that change when the spread over seeds becomes known."""


def drawn(scene: Scene, names: Sequence[str] = ()) -> dict[str, str]:
    """Give the HTML of each panel by its name, or of the named ones alone."""
    return {
        panel.name: panel.draw(scene)
        for panel in PANELS
        if not names or panel.name in names
    }


def summary(scene: Scene) -> str:
    """Say in a sentence or two what a reader who cannot see the panels should know."""
    step = scene.sides[0].frame.step
    return f"Step {step}. {scene.said(_words)}"


def _words(side: Side) -> str:
    reading = side.frame.reading
    first, last = reading.rms[0], reading.rms[-1]
    return (
        f"Loss {number(reading.loss)}, {number(100 * reading.accuracy)} % right; "
        f"signal {number(first)} at layer 1, {number(last)} at layer "
        f"{len(reading.rms)}; gradient {number(reading.gradient_rms[0])} at layer 1."
    )
