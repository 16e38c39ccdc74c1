"""E|x| over the width, step by step, layer by layer; loss over the learning rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.report.svg.axes import Frame
from fanin.report.svg.lines import Line, line_chart
from fanin.report.svg.style import Style, style_of

if TYPE_CHECKING:
    from fanin.race.studies import Widths

GUIDE = Style(colour="var(--quiet)", dash="2 4", marker="none")


def coordinate_figure(found: Widths, policy: str, layer: str) -> str:
    """Draw E|x| of one layer over the width: a curve for each step, a band of seeds."""
    widths = found.study.widths
    lines = []
    for step in range(found.study.n_steps + 1):
        sizes = found.sizes(policy, layer, step)
        with np.errstate(all="ignore"):
            middle = np.exp(np.log(sizes).mean(axis=0))
        lines.append(
            Line(
                label=f"step {step}",
                x=widths,
                y=middle.tolist(),
                low=sizes.min(axis=0).tolist(),
                high=sizes.max(axis=0).tolist(),
                style=style_of(step),
                marks="all",
            )
        )
    slope = found.slope(policy, layer, found.study.n_steps)
    if policy.startswith("mup"):  # theory: after the first steps the same at any width
        level = lines[-1].y[0]
        lines.insert(
            0,
            Line(
                label="", x=widths, y=[level] * len(widths), style=GUIDE, marks="none"
            ),
        )
    frame = Frame(
        title=f"{named(layer)}, {policy}",
        description=(
            f"E|x| of {layer} over widths {widths[0]} to {widths[-1]} with {policy}; "
            f"after step {found.study.n_steps} it goes as width to the power of "
            f"{slope.mean:.2f}."
        ),
        x_label="width",
        y_label="E|x|",
        is_log=True,
        x_is_log=True,
        x_range=(widths[0] / 1.1, widths[-1] * 1.1),
        width=360.0,
        height=260.0,
        y_range=_range(found, layer),
    )
    return line_chart(lines, frame)


def named(layer: str) -> str:
    """Give a layer's name as a reader wants it.

    >>> named("4"), named("output")
    ('layer 4', 'output')
    """
    return f"layer {layer}" if layer.isdigit() else layer


def _range(found: Widths, layer: str) -> tuple[float, float]:
    """Give one range for a layer under all policies, so that panels compare."""
    values = np.concatenate(
        [
            found.sizes(policy, layer, step).reshape(-1)
            for policy in found.study.policies
            for step in range(found.study.n_steps + 1)
        ]
    )
    seen = values[np.isfinite(values) & (values > 0)]
    if not seen.size:
        return 0.1, 10.0
    return float(seen.min()) / 1.3, float(seen.max()) * 1.3


def transfer_figure(found: Widths, policy: str) -> str:
    """Draw the loss over the learning rate: a curve for each width."""
    study = found.study
    losses = [found.losses[policy, width] for width in study.widths]
    every = np.concatenate([found.losses[key] for key in found.losses])
    seen = every[np.isfinite(every)]
    best = found.best_rates(policy)
    frame = Frame(
        title=f"Learning rate, {policy}",
        description="Loss over the learning rate; best at "
        + ", ".join(
            f"{rate:.2g} for width {width}"
            for rate, width in zip(best, study.widths, strict=True)
        ),
        x_label="learning rate of the base",
        y_label="loss, last third of the steps",
        is_log=True,
        x_is_log=True,
        width=440.0,
        height=280.0,
        y_range=(float(seen.min()) / 1.2, min(float(seen.max()), 20.0) * 1.2)
        if seen.size
        else None,
    )
    lines = [
        Line(
            label=f"width {width}",
            x=study.rates,
            y=loss.tolist(),
            style=style_of(index),
            marks="all",
        )
        for index, (width, loss) in enumerate(zip(study.widths, losses, strict=True))
    ]
    return line_chart(lines, frame)
