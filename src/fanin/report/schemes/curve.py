"""The density of a scheme as points, and drawn with block characters."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING, Final

from fanin.schemes.laws import LAWS

if TYPE_CHECKING:
    from fanin.graph.fans import Fan
    from fanin.schemes.scheme import Scheme

EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
"""Blocks from empty to full."""
SEEN_STDS: Final = 3.5
"""How many standard deviations are shown of a law that has no end."""
MARGIN: Final = 1.12
"""How far beyond its end a law is shown."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A density at evenly spaced weights, or the points at which a law sits.

    weights, heights: of equal length. atoms: weights drawn with a probability of
    their own, for a constant or an identity; heights are then all 0.
    """

    weights: tuple[float, ...]
    heights: tuple[float, ...]
    atoms: tuple[float, ...] = ()


def curve_of(scheme: Scheme, fan: Fan[float], n_points: int) -> Curve:
    """Give the density of one entry, over all that is worth seeing.

    Args:
        scheme: what is shown, at its own gain.
        fan: the fans, > 0.
        n_points: count, ≥ 3.

    >>> from fanin.graph.fans import Fan
    >>> from fanin.schemes import find_scheme
    >>> uniform = find_scheme("uniform(bound=0.5)")
    >>> curve = curve_of(uniform, Fan(n_in=8.0, n_out=8.0), 3)
    >>> [round(height, 9) for height in curve.heights]
    [0.0, 1.0, 0.0]
    """
    atoms = {"constant": (scheme.value,), "identity": (0.0, scheme.gain)}.get(
        scheme.law
    )
    half = _half_width(scheme, fan)
    weights = tuple(
        half * (2 * number / (n_points - 1) - 1) for number in range(n_points)
    )
    if atoms is not None:
        return Curve(weights=weights, heights=(0.0,) * n_points, atoms=atoms)
    heights = (scheme.density(weight, fan) for weight in weights)
    # A density may have poles at its ends, as an orthogonal matrix of two columns has.
    seen = tuple(height if isfinite(height) else 0.0 for height in heights)
    return Curve(weights=weights, heights=seen)


def _half_width(scheme: Scheme, fan: Fan[float]) -> float:
    if scheme.law == "constant":
        return MARGIN * max(1.0, abs(scheme.value))
    if scheme.law == "identity":
        return MARGIN * scheme.gain
    std: float = scheme.std(fan)
    reach = LAWS[scheme.law].reach(std / scheme.gain) * scheme.gain
    return min(MARGIN * reach, SEEN_STDS * std if reach == inf else 5.0 * std)


def block_lines(curve: Curve, n_rows: int) -> list[str]:
    """Draw the curve: one column a point, eight steps a row.

    >>> block_lines(Curve(weights=(-1.0, 0.0, 1.0), heights=(0.5, 1.0, 0.25)), 1)
    ['▄█▂']
    """
    heights = list(curve.heights)
    spacing = curve.weights[1] - curve.weights[0]
    for atom in curve.atoms:
        column = round((atom - curve.weights[0]) / spacing)
        if 0 <= column < len(heights):
            heights[column] = 1.0
    tallest = max(heights) or 1.0
    steps = [round(height / tallest * 8 * n_rows) for height in heights]
    return [
        "".join(EIGHTHS[min(8, max(0, step - 8 * row))] for step in steps).rstrip()
        for row in reversed(range(n_rows))
    ]
