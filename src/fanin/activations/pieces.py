"""A function as Chebyshev pieces, from its values alone: kinks found, slopes read off.

On each piece the function is its interpolant at sixteen Chebyshev points. A piece that
does not fit is halved; where halving goes on to the end there is a kink or a jump, and
the ends of that last piece become edges of a second, clean round. The slope is the
derivative of the interpolant: no autograd is needed, and a function with a wrong
gradient is judged by what it does. After Trefethen, "Approximation Theory and
Approximation Practice" (2013), chapters 3, 7 and 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.activations.halving import (
    N_POINTS,
    Halves,
    halve,
    measure_noise,
    unseen,
)

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction

DERIVATIVE: Final = np.polynomial.chebyshev.chebder(np.eye(N_POINTS))
"""Coefficients of a function on (−1, 1) → of its derivative, one fewer."""


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """A function on [edges[0], edges[-1]] as one interpolant between two edges.

    edges: "n_pieces + 1", ascending, 0 among them. slopes: "N_POINTS − 1, n_pieces",
    Chebyshev coefficients of the derivative on each piece. slope_error: "n_pieces",
    bound of its error, or infinite where the function is too rough to be known.
    jumps: "n_pieces − 1", how far the function jumps at each inner edge, 0 for none.
    corners: the edges at which φ, φ′ or φ″ jumps.
    kinks: those edges that had to be searched for. noise: relative rounding error of
    the function's values. is_short: "n_pieces", the pieces that hold a kink or jump.
    """

    edges: np.ndarray
    slopes: np.ndarray
    slope_error: np.ndarray
    jumps: np.ndarray
    corners: np.ndarray
    kinks: np.ndarray
    noise: float
    is_short: np.ndarray

    def index(self, x: np.ndarray) -> np.ndarray:
        """Give the number of the piece that holds each ``x``."""
        found = np.searchsorted(self.edges, x, side="right") - 1
        return np.clip(found, 0, len(self.edges) - 2)

    def slope(self, x: np.ndarray) -> np.ndarray:
        """Give the derivative at ``x``, any shape; beyond the edges that at the edge.

        At an edge it is the derivative from the right.
        """
        index = self.index(x)
        left, right = self.edges[index], self.edges[index + 1]
        t = np.clip((2.0 * x - left - right) / (right - left), -1.0, 1.0)
        return clenshaw(self.slopes[:, index], t)

    def curvature(self, x: np.ndarray) -> np.ndarray:
        """Give the second derivative at ``x``, as `slope` gives the first."""
        index = self.index(x)
        left, right = self.edges[index], self.edges[index + 1]
        t = np.clip((2.0 * x - left - right) / (right - left), -1.0, 1.0)
        bends = np.tensordot(DERIVATIVE[:-1, :-1], self.slopes, 1)[:, index]
        return clenshaw(2.0 * bends / (right - left), t)


def clenshaw(coefficients: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Give Σ cₖTₖ(t) by Clenshaw's recurrence; one column of coefficients for each t.

    >>> float(clenshaw(np.array([1.0, 0.0, 2.0]), np.array(0.5)))  # 1 + 2(2t² − 1)
    0.0
    """
    later = np.zeros_like(t)
    last = np.zeros_like(t)
    for row in coefficients[:0:-1]:
        later, last = 2.0 * t * later - last + row, later
    total: np.ndarray = t * later - last + coefficients[0]
    return total


def build(function: ScalarFunction, radius: float, kinks: np.ndarray) -> Pieces:
    """Cut [−radius, radius] into pieces on which the function is a polynomial.

    Args:
        function: float64 array → float64 array, entry by entry.
        radius: > 0.
        kinks: edges known before; they are taken over.
    """
    with np.errstate(all="ignore"):
        noise = measure_noise(function)
        first = halve(function, starting_edges(radius, kinks), noise)
        missed = unseen(function, first, noise)
        if missed.size:
            kinks = np.union1d(kinks, missed)
            first = halve(function, starting_edges(radius, kinks), noise)
        found = first.ends_of_kinks()
        if not found.size:
            return _from_halves(first, noise, kinks)
        together = np.union1d(kinks, found)
        second = halve(function, starting_edges(radius, together), noise)
        return _from_halves(second, noise, together)


def starting_edges(radius: float, kinks: np.ndarray) -> np.ndarray:
    """Give edges at 0, ±½, ±1 … ±4 and, further out, at steps that grow."""
    far = [4.0]
    while far[-1] < radius:
        far += [far[-1] * 1.5, far[-1] * 2.0]
    positive = np.minimum(np.concatenate([np.arange(0.0, 4.0, 0.5), far]), radius)
    inside = kinks[np.abs(kinks) < radius]
    return np.unique(np.concatenate([-positive, positive, inside]))


def _from_halves(halves: Halves, noise: float, kinks: np.ndarray) -> Pieces:
    half_width = halves.width / 2.0
    slopes = DERIVATIVE @ halves.coefficients / half_width
    from_left, from_right = _limits(halves.coefficients)
    slopes[:, halves.is_short] = 0.0
    slopes[0, halves.is_short] = ((from_left - from_right) / halves.width)[
        halves.is_short
    ]
    # Markov: the derivative of a polynomial of degree n and size 1 is at most n².
    error = halves.tail * N_POINTS**2 / half_width
    error[halves.is_short] = 0.0  # known there as a secant; see moments.py
    error[halves.is_rough & ~halves.is_short] = np.inf
    gaps = from_right[1:] - from_left[:-1]
    largest = np.maximum(halves.size[1:], halves.size[:-1])
    is_jump = np.abs(gaps) > max(1e-9, 1e3 * noise) * largest
    return Pieces(
        edges=np.append(halves.left, halves.left[-1] + halves.width[-1]),
        slopes=slopes,
        slope_error=error,
        jumps=np.where(is_jump, gaps, 0.0),
        corners=halves.left[1:][is_jump | _are_corners(slopes, half_width)],
        kinks=kinks,
        noise=noise,
        is_short=halves.is_short,
    )


def _are_corners(slopes: np.ndarray, half_width: np.ndarray) -> np.ndarray:
    """Say of each inner edge whether the slope or the curvature jumps there.

    Far above the error of both, and far below what would matter to an integral.
    """
    curvatures = DERIVATIVE[:-1, :-1] @ slopes / half_width
    is_corner = np.zeros(slopes.shape[1] - 1, dtype=bool)
    for coefficients, least in ((slopes, 1e-6), (curvatures, 1e-3)):
        from_left, from_right = _limits(coefficients)
        gaps = np.abs(from_right[1:] - from_left[:-1])
        is_corner |= gaps > least * (1.0 + np.abs(from_left[:-1]))
    return is_corner


def _limits(coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each interpolant at its right end and at its left end."""
    signs = (-1.0) ** np.arange(len(coefficients))
    return coefficients.sum(axis=0), signs @ coefficients
