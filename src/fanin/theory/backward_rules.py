"""How the operations without positions of their own hand gradients back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.graph import Op
from fanin.theory.forward_facts import gain_of, group_facts, of_norm, windows_of
from fanin.theory.given import number, padding_share
from fanin.theory.joint import joint_of
from fanin.theory.layout import n_samples_of
from fanin.theory.normalization import NORMS
from fanin.theory.pairs import Pairs, spread_out
from fanin.theory.pointwise import slopes_of
from fanin.theory.sums import on_one_grid

if TYPE_CHECKING:
    from fanin.graph.graph import Node
    from fanin.graph.windows import WindowAxis
    from fanin.theory.forward import Forward


def scaled(gradient: Pairs, factor: float | np.ndarray) -> Pairs:
    """Multiply every class."""
    return replace(gradient, products=gradient.products * factor)


def linear_back(
    forward: Forward, node: Node, _source: int, gradient: Pairs
) -> Pairs | None:
    """fan_out·E[w²]: one input entry collects from fan_out outputs.

    Two input places collect with the same taps where their lag is a multiple of the
    stride: G′(stride·d) = n·E[w²]·G(d), and nothing in common at other lags.
    """
    weight = node.weight
    if weight is None or weight.path not in forward.given.variances:
        return None
    if weight.roles.is_lookup:
        return scaled(gradient.at_one_position(), 0.0)
    entry = forward.given.of(weight.path, mean=0.0)
    n_terms = weight.fan.n_out * (1.0 - padding_share(node))
    found = scaled(gradient, n_terms * entry.second_moment)
    for i, axis in enumerate(windows_of(node) or ()):
        found = _unwindowed(found, i, axis)
    return found


def _unwindowed(gradient: Pairs, axis: int, window: WindowAxis) -> Pairs:
    if len(gradient.lengths) <= axis or gradient.lengths[axis] != window.n_out:
        return gradient
    n_lags = gradient.products.shape[axis + 1]
    if n_lags != window.n_out:  # same and different alone
        share = window.spread / window.stride
        lags = np.arange(min(window.n_in, 2))
        keep = np.where(lags == 0, 1.0, min(share, 1.0))
        found = gradient.along(
            axis, lambda a: a[np.minimum(lags, n_lags - 1)], window.n_in
        )
    else:
        at = np.arange(window.n_in) * window.spread
        lags = np.minimum(at // window.stride, n_lags - 1)
        keep = np.where(at % window.stride == 0, 1.0, 0.0)
        found = gradient.along(axis, lambda a: a[lags], window.n_in)
    shape = [1] * found.products.ndim
    shape[axis + 1] = len(keep)
    return scaled(found, keep.reshape(shape))


def elementwise_back(
    forward: Forward, node: Node, source: int, gradient: Pairs
) -> Pairs | None:
    """G·E[φ′(u)φ′(v)] of each class."""
    slope = forward.slopes.get(node.id)
    x = forward.moments[source]
    if slope is None or x is None or node.function is None:
        return None
    if x.pairs is None or node.details.get("is_affine"):
        return scaled(gradient, slope)
    joint = joint_of(node.function, mean=x.mean, variance=x.variance)
    slopes = replace(x.pairs, products=slopes_of(x, x.pairs, joint), profile=None)
    along, by = on_one_grid([gradient, slopes])
    return scaled(along, by.products)


def add_back(forward: Forward, node: Node, source: int, gradient: Pairs) -> Pairs:
    """The gradient as it came, k² times where one operand is added k times.

    A table that all samples share collects from all of them: E[(Σδ)²] = B²·avg E[δδ′].
    """
    found = scaled(gradient, float(node.inputs.count(source) ** 2))
    operand = forward.flow.nodes[source]
    n_samples = gradient.n_samples
    if operand.op is not Op.PARAMETER or n_samples == n_samples_of(operand):
        return found
    own, cross = found.products
    total = n_samples * own + n_samples * (n_samples - 1) * cross
    return replace(found, n_samples=1, products=np.stack([total, total]))


def multiply_back(
    forward: Forward, node: Node, source: int, gradient: Pairs
) -> Pairs | None:
    """G·E[bb′] for the other factors b."""
    found = scaled(gradient, forward.given.of(node.scale, mean=1.0).second_moment)
    for other in node.inputs:
        moments = forward.moments[other]
        if other == source or (
            node.scale and forward.flow.nodes[other].op is Op.PARAMETER
        ):
            continue
        if moments is None:
            return None
        if moments.pairs is None:
            found = scaled(found, moments.second_moment)
        else:
            along, by = on_one_grid([found, moments.pairs])
            found = scaled(along, by.products)
    return found


def normalize_back(
    forward: Forward, node: Node, source: int, gradient: Pairs
) -> Pairs | None:
    """E[gain²]/(v + eps), less the two directions that it projects out.

    dL/dx = gain/σ·(δ − avg δ − x̂·avg(δ·x̂)), averages over what is normalized together.
    With G = E[δδ′] and K̂ = E[x̂x̂′] that is G − avg G − K̂·avg(G·K̂). Over a batch behind
    ReLU, v is q − k̄, from which the part that all samples share is gone: squared
    gradients grow by ½/(½ − 1/2π) = π/(π − 1) a layer (Yang et al. 2019). From unit to
    unit σ² varies by 2·avg K̂², relatively, and E[1/σ²] is as much above 1/E[σ²].
    """
    x, normed = forward.moments[source], forward.moments[node.id]
    gain = gain_of(forward.given, node).second_moment * of_norm(node, x)
    group = group_facts(node)
    if node.details.get("is_identity"):
        return scaled(gradient, gain / (1.0 + group.eps))
    if x is None or normed is None:
        return None
    is_rms = group.kind in NORMS
    if x.pairs is None or normed.pairs is None:
        spread = (x.second_moment if is_rms else x.variance) + group.eps
        return scaled(gradient, gain / spread) if spread > 0 else None
    after, own = normed.pairs, normed.second_moment
    along, by = on_one_grid([gradient, replace(after, profile=None)])
    left = along.products
    if own > 0.0 and group.kind == "batch":
        hat = by.products / own
        left = left - along.average(left) - hat * along.average(left * hat)
        left = left / max(1.0 - along.average(2.0 * hat**2), 0.25)
    elif own > 0.0:
        left = left * max(1.0 - (1.0 if is_rms else 2.0) / max(group.n_units, 2.0), 0.0)
    variance = _divided_by(forward, node, source)
    if variance + group.eps <= 0.0:
        return None
    return scaled(replace(along, products=left), gain / (variance + group.eps))


def _divided_by(forward: Forward, node: Node, source: int) -> float:
    """Give the variance that the forward rule divided by."""
    x, group = forward.moments[source], group_facts(node)
    if x is None or x.pairs is None:
        return 0.0
    if group.kind in NORMS:
        return x.second_moment
    pairs = x.pairs
    if group.kind == "batch":
        return max(x.second_moment - pairs.average(pairs.products), 0.0)
    own = pairs.products[0]
    over = float((own * pairs.lag_shares).sum()) if group.has_positions else own.flat[0]
    share = 1.0 / max(group.n_units, 1.0)
    return max(x.variance - share * (float(over) - x.mean**2), 0.0)


def noise_back(forward: Forward, node: Node, _source: int, gradient: Pairs) -> Pairs:
    """1/(1 − p) of an entry with itself: two entries have two masks."""
    p = number(node, "p", 0.0)
    if not forward.graph.is_training or p >= 1.0:
        return scaled(gradient, 1.0 if p < 1.0 else 0.0)
    products = gradient.products.copy()
    products[gradient.itself] /= 1.0 - p
    return replace(gradient, products=products)


def flat(
    gradient: Pairs, same: np.ndarray, different: np.ndarray, length: int
) -> Pairs:
    """Give gradients over one axis of positions from its two classes."""
    products = spread_out(same, different, (length,))
    zeros = np.zeros_like(products)
    return replace(
        gradient,
        lengths=(length,),
        products=products,
        squares=zeros,
        spread=zeros,
        profile=None,
    )
