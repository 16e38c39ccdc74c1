"""The charts of a comparison, one panel for each setting."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fanin.race.expected import expected_start
from fanin.race.experiment import is_policy
from fanin.report.comparison.statements import share
from fanin.report.svg import (
    STYLES,
    Bar,
    Frame,
    Histogram,
    Line,
    Style,
    bar_chart,
    histogram_grid,
    line_chart,
)
from fanin.schemes import find_scheme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.race import Setting, Standing, Standings

QUIET = (STYLES[4], STYLES[5], STYLES[8], STYLES[6])  # for weights that are not random
LOUD = (STYLES[0], STYLES[1], STYLES[2], STYLES[3], STYLES[7], STYLES[9])
MOST_PANELS = 12  # of one figure
N_POINTS = 50  # of a loss curve
SHOWN = (1e-6, 1e4)  # root mean squares beyond are cut


def styles(standings: Standings) -> dict[str, Style]:
    """Give every scheme its look, the same in all charts of a page."""
    specs = standings.experiment.schemes
    fixed = [s for s in specs if is_fixed(s)]
    drawn = [s for s in reversed(specs) if s not in fixed]
    looks = {spec: QUIET[i % len(QUIET)] for i, spec in enumerate(fixed)}
    return looks | {spec: LOUD[i % len(LOUD)] for i, spec in enumerate(drawn)}


def drawn(standings: Standings) -> list[Setting]:
    """Give the settings whose starts and losses are drawn: the first dozen."""
    found = [each for each in standings.experiment.settings if standings.of(each)]
    return found[:MOST_PANELS]


def is_fixed(spec: str) -> bool:
    """Say whether a scheme's weights are not random: a constant, or an identity."""
    return not is_policy(spec) and find_scheme(spec).law in {"constant", "identity"}


def accuracy_bars(standings: Standings, setting: Setting) -> str:
    """Draw test accuracies with their intervals, and what a guess gives."""
    look, name = styles(standings), standings.names[setting]
    bars = [
        Bar(
            label=row.scheme,
            value=row.test_accuracy.mean,
            low=_finite(row.test_accuracy.low),
            high=_finite(row.test_accuracy.high),
            style=look[row.scheme],
            words=share(row.test_accuracy),
        )
        for row in standings.of(setting)
    ]
    words = ", ".join(f"{bar.label} {bar.words}" for bar in bars)
    frame = Frame(
        title=name,
        description=f"Test {standings.metric} by scheme with {name}: {words}.",
        x_label=f"test {standings.metric}, mean and 95 % interval",
        marked=(standings.chance, "a guess"),
        width=440,
    )
    return bar_chart(bars, frame)


def loss_curves(standings: Standings, setting: Setting) -> str:
    """Draw each scheme's training loss: mean over seeds, band from least to most."""
    look, name = styles(standings), standings.names[setting]
    lines = []
    for row in standings.of(setting):
        curves = np.array([run.losses for run in row.runs])
        steps, smooth = _smooth(curves)
        lines.append(
            Line(
                label=row.scheme,
                x=steps,
                y=smooth.mean(axis=0).tolist(),
                low=smooth.min(axis=0).tolist(),
                high=smooth.max(axis=0).tolist(),
                style=look[row.scheme],
            )
        )
    frame = Frame(
        title=name,
        description=f"Training loss by step with {name}, one curve a scheme.",
        x_label="step",
        y_label="loss of the batches",
        is_log=True,
        y_range=(3e-3, 30.0),
        width=440,
        height=310,
    )
    return line_chart(lines, frame)


def by_layer(standings: Standings, setting: Setting, what: str) -> str:
    """Draw one quantity of the start by layer: points measured, lines from theory.

    Args:
        standings: what was measured.
        setting: which of the settings.
        what: "rms", "between" or "gradient_rms".
    """
    look, name = styles(standings), standings.names[setting]
    lines: list[Line] = []
    for row in standings.of(setting):
        lines += _measured_and_expected(standings, row, what, look[row.scheme])
    frame = Frame(
        title=name,
        description=f"{NAMES[what]} by layer with {name}, before training.",
        x_label=LAYERS[what],
        y_label=NAMES[what],
        is_log=True,
        y_range=_shown(lines),
        width=440,
        height=310,
    )
    return line_chart(lines, frame)


NAMES = {
    "rms": "root mean square of the values",
    "between": "deviation between samples",
    "gradient_rms": "root mean square of the gradient",
}
LAYERS = {
    "rms": "hidden layer (0: input)",
    "between": "hidden layer (0: input)",
    "gradient_rms": "layers back from the output",
}


def measured(row: Standing, what: str) -> np.ndarray:
    """Give a quantity of the start, "seed layer"; hidden layers only for values."""
    values = np.array([getattr(run.start, what) for run in row.runs])
    return values if what == "gradient_rms" else values[:, :-1]


def layers(row: Standing, what: str) -> list[int]:
    """Give each layer's place: its number, or for gradients how far back it lies."""
    places = list(range(measured(row, what).shape[1]))
    return places[::-1] if what == "gradient_rms" else places


def _measured_and_expected(
    standings: Standings, row: Standing, what: str, style: Style
) -> list[Line]:
    values, places = measured(row, what), layers(row, what)
    order = slice(None, None, -1 if what == "gradient_rms" else 1)  # x from left
    points = Line(
        label=row.scheme,
        x=places[order],
        y=_geometric(values)[order],
        low=values.min(axis=0).tolist()[order],
        high=values.max(axis=0).tolist()[order],
        style=style,
        has_stroke=what == "between",
        marks="some" if what == "between" else "all",
    )
    start, experiment = row.runs[0].start, standings.experiment
    theory = (
        None
        if what == "between" or not experiment.is_stacked(row.scheme, row.setting)
        else expected_start(
            row.scheme, row.activation, standings.sizes_of(row.setting), start
        )
    )
    if theory is None:
        return [points]
    curve = getattr(theory, what)[: len(places)]
    line = Line(label="", x=places[order], y=curve[order], style=style, marks="none")
    return [line, points]


def histograms(standings: Standings, setting: Setting) -> str:
    """Draw the values of a few hidden layers before training, one row a scheme."""
    look, name = styles(standings), standings.names[setting]
    rows = standings.of(setting)
    chosen = shown_layers(len(rows[0].runs[0].start.samples))
    best = standings.best(setting)
    span = (
        _span([best.runs[0].start.samples[i - 1] for i in chosen]) if best else (0, 1)
    )
    grid = [
        (
            row.scheme,
            look[row.scheme],
            [
                Histogram.of(row.runs[0].start.samples[i - 1].tolist(), span)
                for i in chosen
            ],
        )
        for row in rows
    ]
    frame = Frame(
        title=name,
        description=f"Histograms of the values of layers {chosen} with {name}.",
    )
    names = [f"layer {i}" for i in chosen]
    return histogram_grid(grid, frame, columns=names, span=span)


def shown_layers(depth: int, most: int = 4) -> list[int]:
    """Give the numbers of at most four hidden layers, the first and last among them."""
    steps = min(depth, most) - 1
    return sorted(
        {round(1 + i * (depth - 1) / max(steps, 1)) for i in range(steps + 1)}
    )


def _span(samples: Sequence[np.ndarray]) -> tuple[float, float]:
    """Give the scale that all share: of a bounded function whole, else the best's."""
    least = min(float(values.min()) for values in samples)
    most = max(float(np.abs(values).max()) for values in samples)
    if most > 1:
        most = max(float(np.quantile(np.abs(values), 0.99)) for values in samples)
    high = max(math.ceil(most), 1)
    return (-float(high), float(high)) if least < 0 else (0.0, float(high))


def _smooth(curves: np.ndarray) -> tuple[list[float], np.ndarray]:
    """Average losses over windows of steps; NaN from where a seed diverged."""
    window = max(1, curves.shape[1] // N_POINTS)
    n = curves.shape[1] // window
    kept = curves[:, : n * window].reshape(len(curves), n, window).mean(axis=2)
    return [(i + 0.5) * window for i in range(n)], kept


def _geometric(values: np.ndarray) -> list[float]:
    """Give the geometric mean over seeds; 0 where any value is 0."""
    with np.errstate(divide="ignore"):
        return [float(value) for value in np.exp(np.log(values).mean(axis=0))]


def _shown(lines: Sequence[Line]) -> tuple[float, float]:
    values = [v for one in lines for v in one.y if math.isfinite(v) and v > 0]
    low = min([v for v in values if v >= SHOWN[0]], default=SHOWN[0])
    high = max([v for v in values if v <= SHOWN[1]], default=SHOWN[1])
    is_cut_low, is_cut_high = (
        min(values, default=1) < low,
        max(values, default=1) > high,
    )
    return (
        SHOWN[0] if is_cut_low else low / 2,
        SHOWN[1] if is_cut_high else high * 2,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
