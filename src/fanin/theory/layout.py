"""Which entries of a node are samples, units and positions, and how shapes change it.

Views through which attention goes (heads split off, batch and heads merged) name no
units, but move no number from one token to another: what is known of samples and
positions stays. Only where positions become units, or are cut off, does it change.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fanin.theory.pairs import Pairs, independent

if TYPE_CHECKING:
    from fanin.graph.graph import Node
    from fanin.theory.moments import Moments


def n_samples_of(node: Node) -> int:
    """Give the length of the batch axis, 1 where there is none."""
    return 1 if node.batch_axis is None else node.shape[node.batch_axis]


def n_units_of(node: Node) -> int:
    """Give the length of the unit axis, 1 where there is none."""
    return 1 if node.unit_axis is None else node.shape[node.unit_axis]


def positions_of(node: Node) -> tuple[int, ...]:
    """Give the lengths of the axes that index neither samples nor units."""
    others = {node.batch_axis, node.unit_axis}
    return tuple(n for i, n in enumerate(node.shape) if i not in others)


def fresh_pairs(node: Node, x: Moments) -> Pairs:
    """Give pairs of a tensor of the batch whose entries share nothing but the mean.

    The batch is given and not drawn: it adds no fluctuation.
    """
    return independent(
        mean=x.mean,
        second_moment=x.second_moment,
        n_samples=n_samples_of(node),
        n_units=float(n_units_of(node)),
        lengths=positions_of(node),
    )


def rearranged(x: Moments, pairs: Pairs, node: Node, source: Node) -> Pairs:
    """Give the pairs behind a view, a transposition or a slice.

    Args:
        x: of the source.
        pairs: of the source.
        node: the rearrangement.
        source: what it reads.
    """
    if "step" in node.details and node.details.get("axis") == source.unit_axis:
        return replace(pairs, n_units=_share(pairs, node, source))
    if node.unit_axis is None or node.unit_axis == node.batch_axis:
        return pairs  # heads, or samples laid among the units
    rows, known = (
        prod(node.shape) // n_units_of(node),
        pairs.n_samples * prod(pairs.lengths),
    )
    if rows == known or rows % pairs.n_samples:
        return pairs
    is_whole = prod(node.shape) == prod(source.shape)
    if rows == pairs.n_samples:
        return pairs.laid_side_by_side() if is_whole else _picked(pairs, node)
    n_left = rows // pairs.n_samples
    if n_left > prod(pairs.lengths):
        return _spread(x, pairs, node) if is_whole else pairs
    return replace(pairs.collapsed((n_left,)), n_samples=pairs.n_samples)


def _picked(pairs: Pairs, node: Node) -> Pairs:
    """Pick one position of a row: its own second moment, where positions differ."""
    found = pairs.at_one_position()
    start = node.details.get("start")
    if pairs.profile is None or len(pairs.lengths) != 1 or not isinstance(start, int):
        return found
    if not -pairs.lengths[0] <= start < pairs.lengths[0]:
        return found
    factor = float(pairs.profile.ravel()[start])
    return replace(found, products=found.products * factor)


def _spread(x: Moments, pairs: Pairs, node: Node) -> Pairs:
    """Make positions of units: two different ones have but the mean in common."""
    fresh = fresh_pairs(node, x)
    fresh.squares[...] = float(pairs.squares[1].flat[0])
    fresh.squares[fresh.itself] = float(pairs.squares[pairs.itself])
    fresh.products[1].flat[0] = pairs.between_samples
    return replace(fresh, spread=np.zeros_like(fresh.products) + pairs.spread.flat[0])


def _share(pairs: Pairs, node: Node, source: Node) -> float:
    taken = prod(node.shape) / prod(source.shape)
    return max(pairs.n_units * taken, 1.0)
