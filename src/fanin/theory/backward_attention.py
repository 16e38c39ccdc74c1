"""How attention hands gradients back: to values, through the softmax, to both sides.

o = Σⱼ αⱼvⱼ gives dL/dvⱼ = Σᵢ αᵢⱼδᵢ and dL/dαᵢⱼ = Σᵤ δᵢᵤvⱼᵤ; softmax gives
dL/dlⱼ = αⱼ(δαⱼ − Σₖ αₖδαₖ), blind to what the values have in common; and l = Σᵤ qᵤkᵤ
gives dL/dqᵢ = Σⱼ δlᵢⱼ·kⱼ.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fanin.theory.backward_rules import flat, scaled
from fanin.theory.concentration import gradient_shares
from fanin.theory.forward_facts import comes_from_softmax, keys_seen
from fanin.theory.forward_pairs import terms_of

if TYPE_CHECKING:
    from fanin.graph.graph import Node
    from fanin.theory.forward import Forward
    from fanin.theory.moments import Moments
    from fanin.theory.pairs import Pairs


def contract_back(
    forward: Forward, node: Node, source: int, gradient: Pairs
) -> Pairs | None:
    """Give the gradient of one side of a contraction of two activations."""
    if len(node.inputs) != 2:
        return None
    other_id = node.inputs[1] if source == node.inputs[0] else node.inputs[0]
    other, mine = forward.moments[other_id], forward.moments[source]
    if other is None or mine is None or other.pairs is None or mine.pairs is None:
        return None
    if comes_from_softmax(forward.flow, other_id):
        return _values_back(other.pairs, mine.pairs, gradient)
    if comes_from_softmax(forward.flow, source):
        n_units = terms_of(node, forward.flow, source)
        return _shares_back(mine.pairs, other.pairs, gradient, n_units)
    is_first = source == node.inputs[0]
    return _side_back(mine, other, gradient, is_first=is_first)


def _values_back(alpha: Pairs, values: Pairs, gradient: Pairs) -> Pairs:
    """Σᵢᵢ′ E[αᵢⱼαᵢ′ⱼ′]·G(i, i′), for one key and for two."""
    length = int(np.prod(values.lengths, dtype=int))
    g = gradient.collapsed((int(np.prod(gradient.lengths, dtype=int)),)).products
    n = alpha.lengths[0]
    a = alpha.products
    weights = np.stack([np.full(2, float(n)), np.full(2, float(n * (n - 1)))], axis=1)
    classes = weights[:, : a.shape[1]] * g[:, : a.shape[1]]
    same = (classes * a[:, :, 0]).sum(axis=1)
    different = (classes * a[:, :, -1]).sum(axis=1)
    return flat(gradient, same, different, length)


def _shares_back(alpha: Pairs, values: Pairs, gradient: Pairs, n_units: int) -> Pairs:
    """d·G(i, i′)·E[vⱼvⱼ′]."""
    g = gradient.collapsed((alpha.lengths[0],)).products
    v = values.collapsed((alpha.lengths[-1],)).products
    products = n_units * g[:, :, None] * v[:, None, :]
    zeros = np.zeros_like(products)
    return replace(
        gradient,
        lengths=alpha.lengths,
        products=products,
        squares=zeros,
        spread=zeros,
        profile=None,
    )


def softmax_back(
    forward: Forward, node: Node, source: int, gradient: Pairs
) -> Pairs | None:
    """E[α²(1 − 2α + Σα²)] of what the gradients of a row do not have in common."""
    after = forward.moments[node.id]
    if after is None:
        return None
    alpha = after.pairs
    if alpha is None or len(alpha.lengths) != 2 or gradient.lengths != alpha.lengths:
        return scaled(gradient, after.second_moment)
    n_keys = alpha.lengths[-1]
    left = gradient.products[..., 0] - gradient.products[..., -1]
    x = forward.moments[source]
    variance = 0.0 if x is None or x.pairs is None else _row_variance(x.pairs)
    counts = keys_seen(node, n_keys)
    share = float(np.mean(gradient_shares(variance, counts))) / n_keys
    own = left * alpha.products[..., 0] * (share / float(alpha.products.flat[0]))
    products = np.zeros_like(gradient.products)
    products[..., 0] = own
    if products.shape[-1] > 1:  # a row's gradients sum to 0
        products[..., -1] = -own / max(n_keys - 1, 1)
    return replace(gradient, products=products)


def _row_variance(logits: Pairs) -> float:
    """Give the variance of logits beyond what a row of them has in common."""
    products = logits.products[0].reshape(logits.products.shape[1], -1)[0]
    return max(float(products[0] - products[-1]), 0.0)


def _side_back(
    mine: Moments, other: Moments, gradient: Pairs, *, is_first: bool
) -> Pairs | None:
    """Σⱼⱼ′ G(ij, i′j′)·E[bⱼbⱼ′], for one position of this side and for two."""
    if len(gradient.lengths) != 2 or mine.pairs is None or other.pairs is None:
        return None
    g = gradient.products if is_first else np.swapaxes(gradient.products, 1, 2)
    n = gradient.lengths[1 if is_first else 0]
    b = other.pairs.collapsed((n,)).products
    weights = np.array([float(n), float(n * (n - 1))])[: g.shape[2]]
    found = (g * (weights * b)[:, None, :]).sum(axis=2)
    length = int(np.prod(mine.pairs.lengths, dtype=int))
    return flat(gradient, found[:, 0], found[:, -1], length)
