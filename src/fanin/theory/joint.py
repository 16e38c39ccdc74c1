"""E[φ(u)·φ(v)] for two correlated Gaussians, as a table over their correlation.

A function of a Gaussian is Σ aₖ·hₖ(z) in orthonormal Hermite polynomials; Mehler's
formula gives E[φ(u)φ(v)] = Σ aₖ²·cᵏ for correlation c, whatever the mean of u and v. A
kink or a jump leaves a tail aₖ² ~ k^(−p), which is summed in closed form from the part
of E[φ²] that the first terms leave over. The table is kept over θ = arccos c, in which
the sum is smooth also at c = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.theory.gaussian import GaussianRule, Same, gaussian_rule

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction

N_TERMS: Final = 160
ANGLES: Final = np.linspace(0.0, np.pi, 769)
DIGITS: Final = 10
"""Moments that agree in so many digits share one table."""


def _tail(power: float) -> np.ndarray:
    """Give Σ cᵏ·k^(−p) / Σ k^(−p) over k ≥ N_TERMS, over the angles."""
    nodes, weights = np.polynomial.legendre.leggauss(96)
    share, weights = (nodes + 1.0) / 2.0, weights / 2.0
    orders = N_TERMS * share ** (-1.0 / (power - 1.0))
    c = np.cos(ANGLES)
    with np.errstate(under="ignore"):
        powers = np.abs(c)[:, None] ** orders
    found: np.ndarray = np.where(c >= 0.0, powers @ weights, 0.0)
    return found


@lru_cache(maxsize=1)
def _basis() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give cᵏ over orders and angles, and the tails of a kink and of a jump."""
    with np.errstate(under="ignore"):
        powers = np.cos(ANGLES)[None, :] ** np.arange(N_TERMS)[:, None]
    return powers, _tail(2.5), _tail(1.5)


@dataclass(frozen=True, kw_only=True)
class Joint:
    """What a function does to two Gaussians of one mean and variance.

    rule: of one of them. values: E[φ(u)φ(v)], squares: E[φ(u)²φ(v)²], slopes:
    E[φ′(u)φ′(v)], each over ``ANGLES``.

    >>> relu = joint_of(lambda x: np.maximum(x, 0.0), mean=0.0, variance=1.0)
    >>> round(2 * float(relu.at(relu.values, np.array(0.5))), 5)
    0.609
    """

    rule: GaussianRule
    values: np.ndarray
    squares: np.ndarray
    slopes: np.ndarray

    def at(self, table: np.ndarray, correlation: np.ndarray) -> np.ndarray:
        """Read one of the tables at correlations of any shape, clipped to (−1, 1)."""
        angle = np.arccos(np.clip(correlation, -1.0, 1.0))
        found: np.ndarray = np.interp(angle.ravel(), ANGLES, table)
        return found.reshape(np.shape(correlation))


def joint_of(function: ScalarFunction, *, mean: float, variance: float) -> Joint:
    """Build the tables, once for each function and pair of moments.

    Raises:
        ArgumentError: as `gaussian_rule` does.
    """
    moments = _rounded(mean), _rounded(max(variance, 0.0))
    return _remembered(Same(function), *moments)


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


@lru_cache(maxsize=512)
def _remembered(same: Same, mean: float, variance: float) -> Joint:
    rule = gaussian_rule(same.function, mean=mean, variance=variance)
    rows = np.stack([rule.values, rule.values**2, rule.slopes])
    weighted = rows * rule.weights
    orders = np.empty((N_TERMS, 3))
    before, current = np.zeros_like(rule.z), np.ones_like(rule.z)
    for k in range(N_TERMS):
        orders[k] = weighted @ current
        following = (rule.z * current - np.sqrt(k) * before) / np.sqrt(k + 1)
        before, current = current, following
    powers, kink, jump = _basis()
    series = (orders**2).T @ powers
    rest = np.maximum((weighted * rows).sum(axis=1) - (orders**2).sum(axis=0), 0.0)
    tails = rest[:, None] * np.stack([kink, kink, jump])
    values, squares, slopes = series + tails
    return Joint(rule=rule, values=values, squares=squares, slopes=slopes)
