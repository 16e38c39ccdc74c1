"""Accuracy over σ_w and depth as a map, with the line 6ξ of theory across it."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Final

from fanin.race.studies.reach import reach_of
from fanin.report.svg.axes import Axes
from fanin.report.svg.element import drawing, element, short, text
from fanin.report.svg.heat_map import colour
from fanin.report.svg.scale import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.race.studies import DepthMap

WIDTH: Final = 560.0
HEIGHT: Final = 380.0
N_POINTS: Final = 160


def depth_figure(found: DepthMap) -> str:
    """Draw the map; lighter cells learnt more. The line is 6ξ at every σ_w."""
    study = found.study
    sigmas, depths = _edges(study.sigmas), _edges(study.depths)
    x = Scale(
        low=sigmas[0],
        high=sigmas[-1],
        start=46.0,
        end=WIDTH - 96.0,
        is_log=True,
    )
    y = Scale(
        low=depths[0], high=depths[-1], start=HEIGHT - 44.0, end=52.0, is_log=True
    )
    axes = Axes(x=x, y=y, x_label="σ_w", y_label="hidden layers")
    return drawing(
        text("Which depths train", 0, 14, font_weight=600),
        _cells(found, [x(s) for s in sigmas], [y(d) for d in depths]),
        axes.draw(),
        _line(found, x, y),
        _bar(found, y),
        width=WIDTH,
        height=HEIGHT,
        title="Which depths train",
        description=(
            f"Accuracy on the training set over σ_w from {study.sigmas[0]:g} to "
            f"{study.sigmas[-1]:g} and depths from {study.depths[0]} to "
            f"{study.depths[-1]}; the line is six times the depth scale of theory."
        ),
    )


def _edges(values: Sequence[float]) -> list[float]:
    """Give where the cells of values begin and end: half way between, in logarithm.

    >>> _edges([1.0, 4.0])
    [0.5, 2.0, 8.0]
    """
    if len(values) == 1:
        return [values[0] / 1.5, values[0] * 1.5]
    inner = [sqrt(a * b) for a, b in pairwise(values)]
    return [
        values[0] * values[0] / inner[0],
        *inner,
        values[-1] * values[-1] / inner[-1],
    ]


def _cells(found: DepthMap, x: Sequence[float], y: Sequence[float]) -> str:
    """Give a rectangle for each net, its accuracy written into it."""
    low, high = found.chance, float(found.accuracy.max())
    parts = []
    for row, accuracies in enumerate(found.accuracy):
        for column, accuracy in enumerate(accuracies):
            share = (accuracy - low) / max(high - low, 1e-9)
            red, green, blue = colour(float(share))
            middle = (x[column] + x[column + 1]) / 2, (y[row] + y[row + 1]) / 2
            parts.append(
                element(
                    "rect", x=x[column], y=y[row + 1], width=x[column + 1] - x[column],
                    height=y[row] - y[row + 1], fill=f"rgb({red},{green},{blue})",
                    shape_rendering="crispEdges",
                )
            )  # fmt: skip
            ink = "#000" if share > 0.55 else "#fff"
            parts.append(
                text(
                    f"{accuracy:.2f}", middle[0], middle[1] + 4,
                    fill=ink, font_size=11, text_anchor="middle",
                )
            )  # fmt: skip
    return "".join(parts)


def _line(found: DepthMap, x: Scale, y: Scale) -> str:
    """Give 6ξ over σ_w, cut where it leaves the map."""
    ratio = x.high / x.low
    sigmas = [x.low * ratio ** (k / (N_POINTS - 1)) for k in range(N_POINTS)]
    runs: list[list[str]] = [[]]
    for sigma in sigmas:
        limit = reach_of(found.study.activation, sigma).n_layers
        if isfinite(limit) and y.low <= limit <= y.high:
            runs[-1].append(f"{short(x(sigma))} {short(y(limit))}")
        else:
            runs.append([])
    path = "".join("M" + "L".join(run) for run in runs if len(run) > 1)
    halo = element(
        "path", d=path, fill="none", stroke="#fff", stroke_width=5, stroke_opacity=0.8
    )
    line = element("path", d=path, fill="none", stroke="#c1272d", stroke_width=2.4)
    return halo + line if path else ""


def _bar(found: DepthMap, y: Scale) -> str:
    """Give the key: the line, and what the colours mean."""
    left, top, height = WIDTH - 80.0, 92.0, y.start - 92.0
    parts = [
        element("path", d=f"M{short(left)} 60h22", stroke="#c1272d", stroke_width=2.4),
        text("6ξ", left + 28, 64),
        text("accuracy", left, 84, fill="var(--quiet)", font_size=11),
    ]
    steps = 32
    for k in range(steps):
        red, green, blue = colour(1 - k / (steps - 1))
        parts.append(
            element(
                "rect", x=left, y=top + k * height / steps, width=12,
                height=height / steps + 0.5, fill=f"rgb({red},{green},{blue})",
            )
        )  # fmt: skip
    high = float(found.accuracy.max())
    parts.append(text(f"{high:.2f}", left + 18, top + 8, font_size=11))
    parts.append(text(f"{found.chance:.2f}", left + 18, y.start, font_size=11))
    return "".join(parts)
