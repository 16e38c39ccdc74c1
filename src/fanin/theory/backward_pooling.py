"""How pooling and views hand gradients back: one gradient to many positions."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fanin.theory.backward_rules import scaled
from fanin.theory.given import number, size_of
from fanin.theory.layout import fresh_pairs, n_units_of, positions_of
from fanin.theory.moments import Moments
from fanin.theory.pairs import spread_out

if TYPE_CHECKING:
    from fanin.graph.graph import Node
    from fanin.theory.forward import Forward
    from fanin.theory.pairs import Pairs


def reduce_back(
    forward: Forward, node: Node, source: int, gradient: Pairs
) -> Pairs | None:
    """Give 1/(k·r), k/r, 1/r: k entries a window, r = inputs/outputs.

    A mean or a sum over all positions hands every one of them the same gradient; a
    maximum hands it to one in k. Between windows nothing but what they had in common.
    """
    window = number(node, "window", 0.0)
    operand = forward.flow.nodes[source]
    if window < 1.0:
        return None
    ratio = size_of(operand) / size_of(node)
    by_kind = {"mean": 1 / (window * ratio), "sum": window / ratio, "max": 1 / ratio}
    kind = str(node.details.get("kind"))
    if kind not in by_kind:
        return None
    x = forward.moments[source]
    lengths = x.pairs.lengths if x is not None and x.pairs is not None else ()
    if not lengths:
        return scaled(gradient, by_kind[kind])
    flat = gradient.products.reshape(2, -1)
    same = flat[:, 0] * by_kind[kind]
    is_whole = prod(gradient.lengths) == 1
    if kind == "max":
        apart = flat[:, 0 if is_whole else -1] * 0.0
        same[1] /= window
    else:
        apart = by_kind[kind] * flat[:, 0 if is_whole else -1]
    products = spread_out(same, apart, lengths)
    zeros = np.zeros_like(products)
    return replace(
        gradient, lengths=lengths, products=products, squares=zeros, spread=zeros
    )


def rearrange_back(forward: Forward, node: Node, source: int, gradient: Pairs) -> Pairs:
    """The same numbers; a slice hands gradients to its share of the entries alone.

    Positions that were laid side by side as units have nothing in common behind a
    random weight.
    """
    operand = forward.flow.nodes[source]
    x = forward.moments[source]
    share = size_of(node) / size_of(operand)
    found = scaled(gradient, share) if share != 1.0 else gradient
    before = x.pairs if x is not None else None
    if before is None or prod(before.lengths) == prod(found.lengths):
        return found
    if node.unit_axis is None or prod(found.lengths) > prod(before.lengths):
        return found
    is_of_units = n_units_of(node) > n_units_of(operand)
    lengths = before.lengths or positions_of(operand)
    own = float(found.products[found.itself])
    spread = fresh_pairs(operand, Moments(second_moment=own))
    if spread.lengths != lengths:
        spread = spread.collapsed(lengths)
    if is_of_units:
        spread.products[1].flat[0] = found.products[1].flat[0]
    return replace(spread, n_samples=gradient.n_samples)
