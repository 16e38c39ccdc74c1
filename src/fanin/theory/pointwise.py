"""Pairs of entries through a scalar function, a mask, a product."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.theory.joint import Joint, joint_of
from fanin.theory.moments import bounds_through
from fanin.theory.pairs import gaussian_squares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.graph import ScalarFunction
    from fanin.theory.moments import Moments
    from fanin.theory.pairs import Pairs

N_LEVELS: Final = 7
"""Second moments at which a function is integrated where positions differ in theirs."""


def applied(x: Moments, pairs: Pairs, function: ScalarFunction) -> Moments:
    """Give E[φ(u)φ(v)] and E[φ(u)²φ(v)²] of every class of pairs.

    u and v are jointly Gaussian with the mean and second moment of x. How far a
    fluctuation of q reaches through φ is found from its slope, as in
    `fanin.theory.moments.through_function`, whose numbers this one completes; that of
    single units (where each has a scale of its own) likewise.

    Raises:
        OverflowError: if E[φ⁴] is beyond float64.
    """
    joint = joint_of(function, mean=x.mean, variance=x.variance)
    rule = joint.rule
    q = rule.second_moment
    if not (np.isfinite(q) and np.isfinite(joint.squares).all()):
        raise OverflowError
    correlation = _correlation(x, pairs)
    products = joint.at(joint.values, correlation)
    products[pairs.itself] = q
    squares = np.zeros_like(products)
    slope = 0.0
    if q > 0.0:
        squares = joint.at(joint.squares, correlation) / q**2 - 1.0
        squares[pairs.itself] = rule.kurtosis - 1.0
        slope = rule.expect(rule.values**2 * (rule.z**2 - 1)) / (2 * q)
        of_units = (1.0 + pairs.squares) / (
            1.0 + gaussian_squares(pairs.products, x.mean)
        )
        squares = (1.0 + squares) * (1.0 + slope**2 * (of_units - 1.0)) - 1.0
    found = replace(
        pairs, products=products, squares=squares, spread=slope**2 * pairs.spread
    )
    mean = rule.mean
    if pairs.profile is not None and q > 0.0:
        found, factor = _levelled(x, found, function)
        mean *= np.sqrt(factor)
    low, high = bounds_through(x, rule, slope) if q > 0.0 else (1.0, 1.0)
    return replace(
        x,
        mean=mean,
        second_moment=float(found.products[found.itself]),
        kurtosis=float(found.squares[found.itself]) + 1.0,
        log_variance=float(found.spread[found.itself]),
        low=low,
        high=high,
        pairs=found,
    )


def slopes_of(x: Moments, pairs: Pairs, joint: Joint) -> np.ndarray:
    """Give E[φ′(u)φ′(v)] of every class of pairs; E[φ′²] of an entry with itself."""
    found = joint.at(joint.slopes, _correlation(x, pairs))
    found[pairs.itself] = joint.rule.slope_second_moment
    return found


def _correlation(x: Moments, pairs: Pairs) -> np.ndarray:
    if x.variance <= 0.0:
        return np.ones_like(pairs.products)
    return np.asarray((pairs.products - x.mean**2) / x.variance)


def _levelled(
    x: Moments, pairs: Pairs, function: ScalarFunction
) -> tuple[Pairs, float]:
    """Integrate φ at the second moment of each position, and average over them."""
    profile = pairs.profile
    if profile is None:
        return pairs, 1.0
    low, high = max(float(profile.min()), 1e-9), max(float(profile.max()), 1e-9)
    levels = np.geomspace(low, high, N_LEVELS)
    values = [
        joint_of(
            function, mean=x.mean * level**0.5, variance=x.variance * level
        ).rule.second_moment
        for level in levels
    ]
    logs = np.log(np.maximum(values, 1e-300))
    at = np.exp(np.interp(np.log(np.maximum(profile, low)), np.log(levels), logs))
    at = np.where(profile > 0.0, at, 0.0 if values[0] < values[-1] else at)
    q = float(pairs.products[pairs.itself])
    factor = float(at.mean()) / q
    if factor <= 0.0:
        return pairs, 1.0
    return (
        replace(pairs, products=pairs.products * factor, profile=at / at.mean()),
        factor,
    )


def masked(pairs: Pairs, p: float) -> Pairs:
    """Drop entries independently: only an entry's pair with itself is enlarged.

    E[(x·b/(1 − p))²] = q/(1 − p), and two entries have two masks: their correlation
    falls to ρ(1 − p).
    """
    products, squares = pairs.products.copy(), pairs.squares.copy()
    products[pairs.itself] /= 1.0 - p
    squares[pairs.itself] = (squares[pairs.itself] + 1.0) / (1.0 - p) - 1.0
    return replace(pairs, products=products, squares=squares)


def multiplied(factors: Sequence[Pairs]) -> Pairs:
    """Multiply the classes of independent factors, which have one shape."""
    first = factors[0]
    products, squares = first.products, first.squares + 1.0
    spread, profile = first.spread, first.profile
    for other in factors[1:]:
        products, squares = products * other.products, squares * (other.squares + 1.0)
        spread = spread + other.spread
        profile = _profiles(profile, other.profile)
    factor = 1.0
    if profile is not None:
        factor = float(profile.mean())
        profile = profile / factor if factor > 0 else None
    return replace(
        first,
        n_units=max(f.n_units for f in factors),
        products=products * factor,
        squares=squares - 1.0,
        spread=spread,
        profile=profile,
    )


def _profiles(a: np.ndarray | None, b: np.ndarray | None) -> np.ndarray | None:
    if a is None or b is None:
        return b if a is None else a
    return np.asarray(a * b)
