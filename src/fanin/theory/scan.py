"""Where the map of second moments crosses the diagonal: a scan, then a root.

g(s) = ln(V(q)/q) with q = eˢ is smooth, and its slope V′(q)·q/V(q) − 1 is known at
every point. So between two points of the scan a pair of crossings shows itself, too:
g turns there, and its extremum is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import exp, isfinite, log
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
MOST_STEPS: Final = 100


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
            found.append(root(excess, low, high))
        elif falling * below < 0.0 < rising * above:  # towards the diagonal, and away
            middle = root(turn, low, high)
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
    return [root(excess, low, middle), root(excess, middle, high)]


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Give a root between two positive ends of different sign, to 1e-14 relative.

    In ln q: inverse quadratic steps where they are safe, else halving, so that it never
    leaves the ends. Chandrupatla (1997), "A new hybrid quadratic/bisection algorithm
    for finding the zero of a nonlinear function without using derivatives".

    >>> round(root(lambda q: q * q - 2.0, 0.1, 10.0), 12)
    1.414213562373
    """
    a, b = log(high), log(low)
    f_a, f_b = function(high), function(low)
    share = 0.5
    for _ in range(MOST_STEPS):
        x = a + share * (b - a)
        f = function(exp(x))
        if (f > 0.0) == (f_a > 0.0):
            c, f_c = a, f_a
        else:
            c, f_c, b, f_b = b, f_b, a, f_a
        a, f_a = x, f
        best, f_best = (a, f_a) if abs(f_a) < abs(f_b) else (b, f_b)
        least = (4e-16 * abs(best) + 1e-16) / abs(b - a)
        if least > 0.5 or f_best == 0.0:
            break
        share = min(max(_quadratic((a, f_a), (b, f_b), (c, f_c)), least), 1.0 - least)
    return exp(best)


def _quadratic(
    a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]
) -> float:
    """Give the share of the way from a to b of the next step; a half if unsafe."""
    (x_a, f_a), (x_b, f_b), (x_c, f_c) = a, b, c
    if not all(map(isfinite, (f_a, f_b, f_c))) or f_c in {f_a, f_b} or x_c == x_b:
        return 0.5
    xi, phi = (x_a - x_b) / (x_c - x_b), (f_a - f_b) / (f_c - f_b)
    if not (phi * phi < xi and (1.0 - phi) ** 2 < 1.0 - xi):
        return 0.5
    first = f_a / (f_b - f_a) * f_c / (f_b - f_c)
    second = (x_c - x_a) / (x_b - x_a) * f_a / (f_c - f_a) * f_b / (f_c - f_b)
    return first + second
