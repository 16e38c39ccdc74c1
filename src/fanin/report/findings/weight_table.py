"""Every weight in a row: how large, in which unit of its fan, and when it moves."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.report.page import Html, inline, table

if TYPE_CHECKING:
    from fanin.rules.profile import Profile, Weight


def weight_table(profile: Profile) -> str:
    """Give a table of the trainable arrays of two or more axes."""
    if not profile.weights:
        return ""
    rows = [
        (
            Html(f"<code>{inline(weight.path)}</code>"),
            "×".join(map(str, weight.shape)),
            weight.mean,
            weight.std,
            _gain(weight),
            weight.gradient,
            _step(weight),
        )
        for weight in profile.weights
    ]
    head = ("weight", "shape", "mean", "std", "std·√fan-in", "gradient", "first moves")
    return table(
        head,
        rows,
        caption="Weights. std·√fan-in is 1 for LeCun, √2 ≈ 1.41 for He.",
    )


def _gain(weight: Weight) -> float | None:
    return None if weight.n_in is None else weight.std * sqrt(weight.n_in)


def _step(weight: Weight) -> str:
    if weight.step is None:
        return "–"
    return f"step {weight.step}" if weight.step else "never"
