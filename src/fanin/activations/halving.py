"""Halving: cut an interval until a polynomial of degree 15 fits on each part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction

EPSILON: Final = 2.0**-52
"""Spacing of float64 at 1."""
N_POINTS: Final = 16
"""Values a piece."""
MOST_PIECES: Final = 20_000
"""Halving ends here: a function this rough is no activation."""
SHORTEST: Final = 2.0**-42
"""Halving ends at this width too: a kink is then known to 2e-13."""
NOISE_STEP: Final = 8.1234567e-6
"""Spacing of the noise probe: no multiple of float32's, which would hide the noise."""
KINK_WIDTH: Final = 2.0**-26
"""No smooth activation asks for parts narrower than this; beside a kink they are."""

_ORDERS = np.arange(N_POINTS)
_ANGLES = (_ORDERS + 0.5) * np.pi / N_POINTS
POINTS: Final = np.cos(_ANGLES)
"""The Chebyshev points of the first kind on (−1, 1): no end of a piece is touched."""
_WEIGHTS = np.where(_ORDERS == 0, 1.0, 2.0)[:, None] / N_POINTS
TO_COEFFICIENTS: Final = _WEIGHTS * np.cos(np.outer(_ORDERS, _ANGLES))
"""Values at `POINTS` → Chebyshev coefficients."""
PROBES: Final = np.array([-1.0 + 1e-9, 0.07, 1.0 - 1e-9])
"""Where an interpolant is held against the function, away from `POINTS`: a kink so
close to an end that all points lie on one side of it shows at that end."""
AT_PROBES: Final = np.cos(np.outer(np.arccos(PROBES), _ORDERS))
"""Coefficients → values at `PROBES`."""

_GRID = np.arange(-8.0, 8.0, 1.0 / 400.0) + 1.0 / 1370.0  # off the round numbers
_NEAR = np.geomspace(1e-9, 1e3, 1000)
SCATTERED: Final = np.sort(np.concatenate([-_NEAR, _GRID, _NEAR]))
"""Where a fit is looked at once more, for what lies between a piece's points."""


@dataclass(frozen=True, kw_only=True)
class Halves:
    """The parts that halving leaves, in ascending order; one entry (column) a part.

    left, width: where. coefficients: "N_POINTS n_parts". tail: the size of what the
    interpolant misses. size: the largest |value| at this distance from 0 or nearer.
    is_rough: the interpolant does not fit. is_short: rough, and too short to halve.
    """

    left: np.ndarray
    width: np.ndarray
    coefficients: np.ndarray
    tail: np.ndarray
    size: np.ndarray
    is_rough: np.ndarray
    is_short: np.ndarray

    def ends_of_kinks(self) -> np.ndarray:
        """Give both ends of each part so narrow that a kink or a jump lies in it."""
        is_narrow = self.is_short | (self.width < KINK_WIDTH)
        is_narrow[1:] &= self.width[1:] <= self.width[:-1]
        is_narrow[:-1] &= self.width[:-1] <= self.width[1:]
        left = self.left[is_narrow]
        return np.union1d(left, left + self.width[is_narrow])


def measure_noise(function: ScalarFunction) -> float:
    """Give the relative rounding error of a function's values, at least float64's.

    Sixth differences at a spacing of 8e-6 kill what is smooth and leave the noise, of
    which they hold √924 times as much; a function replayed in float32 shows 1e-8. A
    high quantile is taken, since what is clipped is free of noise. After Moré & Wild,
    "Estimating computational noise" (2011), section 3.

    >>> measure_noise(np.tanh) == EPSILON
    True
    """
    centres = (
        np.linspace(-3.9, 3.9, 79) + 0.0123
    )  # off the round numbers, where kinks are
    values = function((centres[:, None] + np.arange(7) * NOISE_STEP).ravel())
    rows = values.reshape(79, 7)
    size = np.abs(rows).max()
    if not 0.0 < size < np.inf:
        return EPSILON
    differences = np.abs(np.diff(rows, n=6, axis=1)).ravel()
    noise = float(np.quantile(differences, 0.95)) / 924.0**0.5 / float(size)
    return noise if noise > 1e-12 else EPSILON


def unseen(function: ScalarFunction, halves: Halves, noise: float) -> np.ndarray:
    """Give probes at which a fitted interpolant is wrong after all, ascending.

    A bump that lies between all points of a piece leaves no trace in them. What is
    wider than 1/400 within 8 of 0, or than 3 % of its distance from 0, meets a probe;
    what is narrower than that can be missed, by any method that samples.
    """
    last = halves.left[-1] + halves.width[-1]
    x = SCATTERED[(halves.left[0] < SCATTERED) & (last > SCATTERED)]
    index = np.searchsorted(halves.left, x, side="right") - 1
    t = np.clip(2.0 * (x - halves.left[index]) / halves.width[index] - 1.0, -1.0, 1.0)
    coefficients = halves.coefficients[:, index]
    later, last_but_one = np.zeros_like(t), np.zeros_like(t)
    for row in coefficients[:0:-1]:
        later, last_but_one = 2.0 * t * later - last_but_one + row, later
    fitted = t * later - last_but_one + coefficients[0]
    allowed = 10.0 * halves.tail + (1e-10 + 300.0 * noise) * halves.size
    is_wrong = ~(np.abs(function(x) - fitted) <= allowed[index])
    wrong: np.ndarray = x[is_wrong & ~halves.is_rough[index]]
    return wrong


def halve(function: ScalarFunction, edges: np.ndarray, noise: float) -> Halves:
    """Halve the parts between the edges until each one fits or is too short.

    Args:
        function: float64 array → float64 array, entry by entry.
        edges: ascending.
        noise: relative rounding error of the function's values.
    """
    done: list[Halves] = []
    left, width = edges[:-1], np.diff(edges)
    size = None
    n_done = 0
    while left.size:
        parts = _interpolate(function, left, width, size, noise)
        is_last = parts.is_short | (n_done + 2 * left.size > MOST_PIECES)
        is_lost = ~np.isfinite(parts.tail + parts.size)
        stays = ~parts.is_rough | is_last | is_lost
        done.append(_select(parts, stays))
        n_done += int(stays.sum())
        half = width[~stays] / 2.0
        left = np.stack([left[~stays], left[~stays] + half], axis=1).ravel()
        width, size = np.repeat(half, 2), np.repeat(parts.size[~stays], 2)
    return _in_order(done)


def _interpolate(
    function: ScalarFunction,
    left: np.ndarray,
    width: np.ndarray,
    size: np.ndarray | None,
    noise: float,
) -> Halves:
    where = np.append(POINTS, PROBES)
    points = left + width * (where[:, None] + 1.0) / 2.0
    values = function(points.ravel()).reshape(points.shape)
    coefficients = TO_COEFFICIENTS @ values[:N_POINTS]
    misfit = np.abs(AT_PROBES @ coefficients - values[N_POINTS:]).max(axis=0)
    tail = np.abs(coefficients[-3:]).max(axis=0) + misfit
    if size is None:
        size = _largest_within(left, width, np.abs(values).max(axis=0))
    # A value can be no better known than its argument: slope · rounding of x.
    slope = np.ptp(values, axis=0) / width
    reach = np.maximum(np.abs(left), np.abs(left + width))
    is_rough = ~(tail <= 30.0 * noise * size + 4.0 * EPSILON * reach * slope)
    shortest = SHORTEST if noise == EPSILON else noise**0.5
    limit = np.maximum(shortest, 4.0 * EPSILON * reach)
    return Halves(
        left=left,
        width=width,
        coefficients=coefficients,
        tail=tail,
        size=size,
        is_rough=is_rough,
        is_short=is_rough & (width <= limit),
    )


def _largest_within(
    left: np.ndarray, width: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """Give, for each part, the largest value of those no farther from 0.

    An error far out weighs little under a Gaussian, and one near 0 must not be
    measured by values far out.
    """
    distance = np.maximum(np.abs(left), np.abs(left + width))
    order = np.argsort(distance, kind="stable")
    so_far = np.maximum.accumulate(values[order])
    last = np.searchsorted(distance[order], distance, side="right") - 1
    largest: np.ndarray = so_far[last]
    return largest


def _select(parts: Halves, chosen: np.ndarray) -> Halves:
    return Halves(
        left=parts.left[chosen],
        width=parts.width[chosen],
        coefficients=parts.coefficients[:, chosen],
        tail=parts.tail[chosen],
        size=parts.size[chosen],
        is_rough=parts.is_rough[chosen],
        is_short=parts.is_short[chosen],
    )


def _in_order(done: list[Halves]) -> Halves:
    together = Halves(
        left=np.concatenate([parts.left for parts in done]),
        width=np.concatenate([parts.width for parts in done]),
        coefficients=np.concatenate([parts.coefficients for parts in done], axis=1),
        tail=np.concatenate([parts.tail for parts in done]),
        size=np.concatenate([parts.size for parts in done]),
        is_rough=np.concatenate([parts.is_rough for parts in done]),
        is_short=np.concatenate([parts.is_short for parts in done]),
    )
    return _select(together, np.argsort(together.left, kind="stable"))
