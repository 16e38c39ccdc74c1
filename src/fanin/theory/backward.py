"""Gradients carried back through a Graph: E[δδ′] of every class of pairs.

δ = dL/d(output), relative to that at the outputs. The gradient is taken as independent
of the activations (the gradient-independence assumption of mean field theory:
Schoenholz et al. 2017), and gradients that meet at a fork as uncorrelated. Pairs of
samples and of positions matter where they are averaged: a mean over positions hands
all of them one gradient, and batch normalization takes away what a batch has in
common, which is what makes gradients grow by π/(π − 1) a layer behind ReLU.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.graph import Op
from fanin.theory.backward_attention import contract_back, softmax_back
from fanin.theory.backward_pooling import rearrange_back, reduce_back
from fanin.theory.backward_rules import (
    add_back,
    elementwise_back,
    linear_back,
    multiply_back,
    noise_back,
    normalize_back,
)
from fanin.theory.layout import fresh_pairs
from fanin.theory.moments import Moments
from fanin.theory.sums import on_one_grid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.graph.graph import Node
    from fanin.theory.forward import Forward
    from fanin.theory.pairs import Pairs


def backward(
    forward: Forward, at_outputs: Mapping[int, float]
) -> dict[int, float | None]:
    """Give E[δ²] at every node: 0 where no gradient comes, None where no rule is.

    Args:
        forward: a walk that has run.
        at_outputs: E[δ²] of the gradient that arrives at each output node, independent
            between its entries.
    """
    nodes = forward.flow.nodes
    arrived: dict[int, Pairs | None] = {
        node_id: fresh_pairs(nodes[node_id], Moments(second_moment=square))
        for node_id, square in at_outputs.items()
    }
    with np.errstate(all="ignore"):
        for node in reversed(forward.graph.nodes):
            if node.id in arrived:
                _hand_back(forward, node, arrived)
    found = {node.id: 0.0 for node in forward.graph.nodes}
    return found | {node_id: _square(pairs) for node_id, pairs in arrived.items()}


def _hand_back(forward: Forward, node: Node, arrived: dict[int, Pairs | None]) -> None:
    """Add what one operation hands to each of its inputs to what they have."""
    for source in dict.fromkeys(node.inputs):
        passed = _passed(forward, node, source, arrived[node.id])
        has_more = source in arrived
        arrived[source] = _met(arrived[source], passed) if has_more else passed


def _square(pairs: Pairs | None) -> float | None:
    if pairs is None:
        return None
    square = float(pairs.products[pairs.itself])
    return square if np.isfinite(square) else None


def _met(first: Pairs | None, second: Pairs | None) -> Pairs | None:
    """Add gradients that meet at a fork, taken as uncorrelated."""
    if first is None or second is None:
        return None
    a, b = on_one_grid([first, second])
    return replace(a, products=a.products + b.products)


def _passed(
    forward: Forward, node: Node, source: int, gradient: Pairs | None
) -> Pairs | None:
    """Give the gradient that one operation hands to one of its inputs."""
    handlers: dict[Op, Callable[[Forward, Node, int, Pairs], Pairs | None]] = {
        Op.LINEAR: linear_back,
        Op.CONTRACT: contract_back,
        Op.ELEMENTWISE: elementwise_back,
        Op.ADD: add_back,
        Op.MULTIPLY: multiply_back,
        Op.CONCAT: lambda _f, _n, _s, g: g,
        Op.REARRANGE: rearrange_back,
        Op.NORMALIZE: normalize_back,
        Op.SOFTMAX: softmax_back,
        Op.REDUCE: reduce_back,
        Op.NOISE: noise_back,
    }
    if gradient is not None and not gradient.products.any():
        return gradient.at_one_position()
    handler = handlers.get(node.op)
    if handler is None or gradient is None:
        return None
    return handler(forward, node, source, gradient)
