"""Pairs of entries through a normalization: what is common to its group is taken away.

With k̄ the average of E[x·y] over the pairs of one group, the mean that is subtracted
has second moment k̄, and (E[x·y] − k̄)/(q − k̄ + eps) is left. In a batch the group is a
unit's samples and positions; over a layer it is many units of one sample, of which two
different ones have the product m².
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fanin.theory.pairs import Pairs, gaussian_squares

if TYPE_CHECKING:
    from fanin.theory.moments import Moments


NORMS = frozenset({"rms", "l2", "l1"})
"""Kinds that divide by a size and leave the mean."""


@dataclass(frozen=True, kw_only=True)
class GroupFacts:
    """What is normalized together.

    kind: "batch", "layer", "group", "rms", … eps: added to the variance. n_units: units
    in one group. has_positions: whether all positions of a sample are in it.
    """

    kind: str
    eps: float
    n_units: float = 1.0
    has_positions: bool = False


def normalized(x: Moments, pairs: Pairs, group: GroupFacts) -> Moments:
    """Give the moments and pairs of the normalized tensor, gain and shift left out.

    Its second moment is v/(v + eps) in every draw: what its units fluctuate by and
    what earlier layers left are cancelled.
    """
    is_rms = group.kind in NORMS
    mean = x.mean if is_rms else 0.0
    common = np.zeros_like(pairs.products) if is_rms else _common(x, pairs, group)
    variance = float(pairs.products[pairs.itself] - common[pairs.itself])
    if variance <= 1e-12 * x.second_moment:  # nothing but what is common
        variance = 0.0
    scale = variance + group.eps
    if scale <= 0.0:
        return replace(x, mean=0.0, second_moment=0.0, low=1.0, high=1.0, pairs=None)
    products = (pairs.products - common) / scale
    products[pairs.itself] = variance / scale
    squares = pairs.squares if is_rms else gaussian_squares(products, 0.0)
    found = replace(pairs, products=products, squares=squares, profile=None)
    found = _steadied(found, group)
    return replace(
        x,
        mean=mean / np.sqrt(scale),
        second_moment=variance / scale,
        kurtosis=float(squares[pairs.itself]) + 1.0,
        log_variance=max(float(found.spread[pairs.itself]), 0.0),
        low=1.0,
        high=1.0,
        pairs=found,
    )


def _common(x: Moments, pairs: Pairs, group: GroupFacts) -> np.ndarray:
    """Give E of the two means that are taken from the two entries of a pair."""
    if group.kind == "batch":
        return np.full_like(pairs.products, pairs.average(pairs.products))
    products = pairs.products
    if group.has_positions:
        axes = tuple(range(1, products.ndim))
        over = (products * pairs.lag_shares).sum(axis=axes, keepdims=True)
        products = np.broadcast_to(over, products.shape)
    share = 1.0 / max(group.n_units, 1.0)
    return np.asarray(x.mean**2 + share * (products - x.mean**2))


def _steadied(pairs: Pairs, group: GroupFacts) -> Pairs:
    """Cancel the fluctuation of what was divided by."""
    if group.kind == "batch":
        squares = pairs.squares - pairs.average(pairs.squares)
        return replace(
            pairs, squares=squares, spread=pairs.spread - pairs.average(pairs.spread)
        )
    return replace(
        pairs, spread=np.log1p(np.maximum(-pairs.squares / pairs.n_units, -0.9))
    )
