"""Curves over layers: measured, theory beside it, a band over seeds, for A and B."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, inf, log10
from typing import TYPE_CHECKING

from fanin.report.page import figure, number, table
from fanin.report.svg import Frame, Line, line_chart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.lab.panels.side import Scene, Side

LEAST = 1e-300


@dataclass(frozen=True, kw_only=True)
class Curves:
    """What is drawn of each side, by layer.

    measured: of a side. beside: a second curve, theory unless `beside_name` says what
    else; low, high: a band. Empty where there is none.
    """

    measured: Callable[[Side], Sequence[float]]
    beside: Callable[[Side], Sequence[float]] = lambda _: ()
    beside_name: str = "theory"
    low: Callable[[Side], Sequence[float]] = lambda _: ()
    high: Callable[[Side], Sequence[float]] = lambda _: ()


def figure_by_layer(
    scene: Scene, curves: Curves, frame: Frame, words: Callable[[Side], str]
) -> str:
    """Draw the curves of every side over the layers.

    Args:
        scene: what is drawn.
        curves: the numbers.
        frame: title, axes; its description is the caption.
        words: the finding of one side.
    """
    said = scene.said(words)
    n = max(len(curves.measured(side)) for side in scene.sides)
    lines = [line for side in scene.sides for line in _lines(side, curves)]
    full = Frame(
        title=frame.title,
        description=said,
        x_label=frame.x_label or "layer",
        y_label=frame.y_label,
        is_log=frame.is_log,
        x_range=(1.0, max(float(n), 2.0)),
        y_range=_decades(lines) if frame.is_log else frame.y_range,
        height=260,
    )
    return figure(
        line_chart(lines, full), caption=said, numbers=_numbers(scene, curves, frame)
    )


def _lines(side: Side, curves: Curves) -> list[Line]:
    measured, beside = curves.measured(side), curves.beside(side)
    low, high = curves.low(side), curves.high(side)
    found = [
        Line(
            label=side.label,
            x=_layers(measured),
            y=_plottable(measured),
            low=_plottable(low),
            high=_plottable(high),
            style=side.style,
        )
    ]
    if beside:
        found.insert(
            0,
            Line(
                label=f"{curves.beside_name} {side.label}",
                x=_layers(beside),
                y=_plottable(beside),
                style=side.theory_style,
                marks="none",
            ),
        )
    return found


def _decades(lines: Sequence[Line]) -> tuple[float, float]:
    """Give whole powers of ten around all that is drawn."""
    values = [v for line in lines for v in (*line.y, *line.low, *line.high)]
    shown = [log10(v) for v in values if 0 < v < inf]
    if not shown:
        return (0.1, 10.0)
    low, high = floor(min(shown)), ceil(max(shown))
    return 10.0**low, 10.0 ** (high + (high == low))


def _layers(values: Sequence[float]) -> list[float]:
    return [float(layer) for layer in range(1, len(values) + 1)]


def _plottable(values: Sequence[float]) -> list[float]:
    """Give sizes with those too small for a logarithm's axis as 0."""
    return [0.0 if abs(value) < LEAST else value for value in values]


def _numbers(scene: Scene, curves: Curves, frame: Frame) -> str:
    """Give what is drawn as a table, a row a layer."""
    head, columns = ["layer"], []
    for side in scene.sides:
        for name, values in (
            (side.label, curves.measured(side)),
            (f"{curves.beside_name} {side.label}", curves.beside(side)),
            (f"{side.label}, least seed", curves.low(side)),
            (f"{side.label}, greatest", curves.high(side)),
        ):
            if values:
                head.append(name)
                columns.append(values)
    rows = [
        (str(layer + 1), *(float(column[layer]) for column in columns))
        for layer in range(len(columns[0]))
    ]
    return table(head, rows, caption=f"{frame.title}: {frame.y_label}")


def from_to(values: Sequence[float]) -> str:
    """Say where a curve begins and ends.

    >>> from_to([1.0, 0.5, 0.25])
    'from 1 at layer 1 to 0.25 at layer 3 (×0.5 a layer)'
    """
    if not values:
        return "nothing"
    first, last, n = values[0], values[-1], len(values)
    said = f"from {number(first)} at layer 1 to {number(last)} at layer {n}"
    if n < 2 or not (0 < first < float("inf") and 0 < last < float("inf")):
        return said
    return f"{said} (×{number((last / first) ** (1 / (n - 1)))} a layer)"
