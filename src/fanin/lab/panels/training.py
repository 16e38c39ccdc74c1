"""The way through training: loss by step, and each update beside its weights."""

from __future__ import annotations

from math import log, log10, nan
from typing import TYPE_CHECKING, Final

from fanin.lab.panels.side import Panel
from fanin.report.page import figure, number, table
from fanin.report.svg import STYLES, Frame, Line, line_chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.lab.panels.side import Scene, Side

MOST_POINTS: Final = 200
LEAST_STEPS: Final = 10.0
"""That an axis of steps shows, before they are taken."""
HEALTHY: Final = -3.0
"""Updates of a thousandth of the weights: a rule of thumb (Karpathy 2022)."""


def _loss(scene: Scene) -> str:
    chance = log(scene.sides[0].data.n_classes)
    lines = [
        Line(label=_named(side.label, y), x=x, y=y, style=side.style)
        for side in scene.sides
        for x, y in [_thinned(side.losses)]
    ]
    said = scene.said(lambda side: _loss_words(side, chance))
    frame = Frame(
        title="Loss of each batch",
        description=said,
        x_label="step",
        y_label="mean cross-entropy",
        x_range=(0.0, max(LEAST_STEPS, *(float(len(s.losses)) for s in scene.sides))),
        y_range=_loss_range(lines, chance),
        marked=(chance, "a guess: ln of the classes"),
        height=260,
    )
    rows = [(f"{side.label}, step {n}", value) for side in scene.sides
            for n, value in _ends(side.losses)]  # fmt: skip
    return figure(
        line_chart(lines, frame),
        caption=said,
        numbers=table(("net", "loss"), rows, caption="Loss of single batches"),
    )


def _loss_words(side: Side, chance: float) -> str:
    if not side.losses:
        return f"not trained yet; a guess has a loss of {number(chance)}."
    last = side.losses[-1]
    if last != last or last == float("inf"):
        return f"the loss is no number any more after step {len(side.losses)}."
    return f"after {len(side.losses)} steps the batch's loss is {number(last)}."


def _loss_range(lines: Sequence[Line], chance: float) -> tuple[float, float]:
    """Give 0 to the greatest loss, or to a few guesses' worth where it explodes."""
    values = [v for line in lines for v in line.y if v == v and v < 4 * chance]
    return (0.0, max([*values, 1.25 * chance]))


def _thinned(values: Sequence[float]) -> tuple[list[float], list[float]]:
    step = max(1, -(-len(values) // MOST_POINTS))
    kept = range(0, len(values), step)
    return [float(k + 1) for k in kept], [values[k] for k in kept]


def _ends(values: Sequence[float]) -> list[tuple[int, float]]:
    """Give every tenth part of a series with its place."""
    step = max(1, len(values) // 10)
    return [(k + 1, values[k]) for k in range(0, len(values), step)]


def _updates(scene: Scene) -> str:
    lines = [line for side in scene.sides for line in _ratio_lines(scene, side)]
    said = scene.said(_update_words)
    last = max(float(side.frame.step) for side in scene.sides)
    frame = Frame(
        title="Update beside weight",
        description=said,
        x_label="step",
        y_label="log₁₀ of rms(Δw) / rms(w)",
        x_range=(0.0, max(last, LEAST_STEPS)),
        y_range=(-7.0, 0.5),
        marked=(HEALTHY, "a thousandth"),
        height=260,
    )
    head = ["layer", *(side.label for side in scene.sides)]
    rows = [
        (str(layer + 1), *(side.frame.updates[layer] for side in scene.sides))
        for layer in range(min(len(side.frame.updates) for side in scene.sides))
    ]
    numbers = table(head, rows, caption="rms(Δw) / rms(w) at this step") if rows else ""
    return figure(line_chart(lines, frame), caption=said, numbers=numbers)


def _ratio_lines(scene: Scene, side: Side) -> list[Line]:
    """Give the first layer's ratio and the last's over the frames so far."""
    frames = [frame for frame in side.history if frame.updates]
    n = len(side.frame.reading.rms)
    offset = 2 * (side.label == "B")
    return [
        Line(
            label=_named(_layer_name(scene, side, layer), frames),
            x=[float(frame.step) for frame in frames],
            y=[_power(frame.updates[layer]) for frame in frames],
            style=STYLES[place + offset],
        )
        for place, layer in enumerate(dict.fromkeys((0, n - 1)))
    ]


def _layer_name(scene: Scene, side: Side, layer: int) -> str:
    return f"{f'{side.label} ' if scene.is_pair else ''}layer {layer + 1}"


def _named(label: str, points: Sequence[object]) -> str:
    """Give a curve's label once there is a curve."""
    return label if len(points) > 1 else ""


def _power(ratio: float) -> float:
    return log10(ratio) if 0 < ratio < float("inf") else nan


def _update_words(side: Side) -> str:
    ratios = [r for r in side.frame.updates if r == r]
    if not ratios:
        return "no step has been taken."
    if not any(ratios):
        return "no weight moved at this step."
    return (
        f"at step {side.frame.step} the weights move by {number(min(ratios))} to "
        f"{number(max(ratios))} of their size."
    )


LOSS = Panel(name="loss", draw=_loss)
UPDATES = Panel(name="updates", draw=_updates)
