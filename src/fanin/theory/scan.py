"""Where the map of second moments crosses the diagonal: a scan, then bisection.

g(s) = ln(V(q)/q) with q = eˢ is smooth, and its slope V′(q)·q/V(q) − 1 is known at
every point. So between two points of the scan a pair of crossings shows itself, too:
g turns there, and its extremum is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.theory.mean_field import MeanField

LOWEST: Final = 1e-8
HIGHEST: Final = 1e6
N_SCANNED: Final = 85
SAME: Final = 1e-9
"""Two second moments this close, relatively, are one: there is no sign but rounding."""
N_HALVINGS: Final = 60


@dataclass(frozen=True, kw_only=True)
class Scan:
    """V on a logarithmic grid.

    q: ascending. excess: V(q)/q − 1, infinite where V is. slopes: V′(q). turns: the
    slope of ln(V/q) by ln q. is_flat: excess is no more than rounding.
    """

    q: np.ndarray
    excess: np.ndarray
    slopes: np.ndarray
    turns: np.ndarray
    is_flat: np.ndarray


def scan(field: MeanField) -> Scan:
    """Evaluate V and V′ from 1e-8 to 1e6, six points a decade."""
    q = np.geomspace(LOWEST, HIGHEST, N_SCANNED)
    following = np.array([field.next_moment(float(x)) for x in q])
    slopes = np.array([field.slope(float(x)) for x in q])
    with np.errstate(all="ignore"):
        excess = np.where(np.isnan(following), np.inf, following / q - 1.0)
        turns = slopes * q / following - 1.0
    return Scan(
        q=q,
        excess=excess,
        slopes=slopes,
        turns=np.nan_to_num(turns, nan=0.0, posinf=0.0, neginf=0.0),
        is_flat=np.abs(excess) <= SAME,
    )


def crossings(field: MeanField, scanned: Scan) -> tuple[float, ...]:
    """Give every q in (1e-8, 1e6) at which V(q) = q, ascending."""

    def excess(q: float) -> float:
        return field.next_moment(q) / q - 1.0

    def turn(q: float) -> float:
        return field.slope(q) * q / field.next_moment(q) - 1.0

    clear = [
        (float(q), float(e), float(t))
        for q, e, t, flat in zip(
            scanned.q, scanned.excess, scanned.turns, scanned.is_flat, strict=True
        )
        if not flat
    ]
    found: list[float] = []
    for (low, below, falling), (high, above, rising) in pairwise(clear):
        if below * above < 0.0:
            found.append(bisect(excess, low, high))
        elif falling * below < 0.0 < rising * above:  # towards the diagonal, and away
            middle = bisect(turn, low, high)
            found += _pair(excess, (low, middle, high), below)
    return tuple(found)


def _pair(
    excess: Callable[[float], float], places: tuple[float, float, float], sign: float
) -> list[float]:
    """Give the two crossings beside an extremum, the one that touches, or none."""
    low, middle, high = places
    there = excess(middle)
    if abs(there) <= SAME:
        return [middle]
    if there * sign > 0.0:
        return []
    return [bisect(excess, low, middle), bisect(excess, middle, high)]


def bisect(function: Callable[[float], float], low: float, high: float) -> float:
    """Give a root between two positive ends of different sign, to 1e-15 relative.

    Halving in ln q first; each end keeps its sign, so it cannot fail.
    """
    is_positive = function(low) > 0.0
    for _ in range(N_HALVINGS):
        middle = sqrt(low) * sqrt(high)
        if not low < middle < high:
            break
        if (function(middle) > 0.0) == is_positive:
            low = middle
        else:
            high = middle
    return sqrt(low) * sqrt(high)
