"""The rules of one entry completed by those of pairs, where pairs are known.

Each function takes what the rule of one entry gave (``plain``) and gives it back with
its pairs, and with the second moment that they imply. Without pairs it comes back as
it was: samples and positions count as independent.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fanin.theory.attention import averaged_values, contracted, shares
from fanin.theory.forward_facts import keys_seen, windows_of
from fanin.theory.layout import (
    fresh_pairs,
    n_samples_of,
    n_units_of,
    positions_of,
)
from fanin.theory.linear import table_of, weighted, windowed
from fanin.theory.moments import LinearFacts, Moments
from fanin.theory.normalization import GroupFacts, normalized
from fanin.theory.pointwise import applied, masked, multiplied
from fanin.theory.sums import added, averaged, lined_up, on_one_grid
from fanin.theory.windows_pooled import max_pooled, mean_pooled, window_means

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node, ScalarFunction
    from fanin.theory.pairs import Pairs


def replaced(x: Moments, pairs: Pairs) -> Moments:
    """Give the moments with new pairs, and what follows from them."""
    return replace(
        x,
        second_moment=float(pairs.products[pairs.itself]),
        kurtosis=float(pairs.squares[pairs.itself]) + 1.0,
        log_variance=max(float(pairs.spread[pairs.itself]), 0.0),
        pairs=pairs,
    )


def shared(entry: Moments, node: Node) -> Moments:
    """Give a table that all samples read: a parameter or a constant."""
    pairs = table_of(entry, positions_of(node), float(n_units_of(node)))
    return replace(entry, pairs=replace(pairs, n_samples=n_samples_of(node)))


def unknown(node: Node) -> Moments:
    """Give a normalized tensor of which nothing else is known."""
    return replace(Moments(), pairs=fresh_pairs(node, Moments()))


def linear(x: Moments, node: Node, facts: LinearFacts, plain: Moments) -> Moments:
    """Complete a weight; a map's zero padding is followed position by position."""
    if x.pairs is None:
        return plain
    windows, pairs = windows_of(node), x.pairs
    if windows is not None and node.weight is not None:
        pairs = windowed(x, pairs, windows)
        facts = replace(facts, n_terms=node.weight.fan.n_in)
    found = weighted(x, pairs, facts, float(n_units_of(node)))
    low, high = plain.low, plain.high
    return replace(replaced(plain, found), low=low, high=high)


def function(x: Moments, function: ScalarFunction, plain: Moments) -> Moments:
    """Complete a scalar function."""
    if x.pairs is None:
        return plain
    if plain.second_moment == 0.0:
        zeros = np.zeros_like(x.pairs.products)
        pairs = replace(x.pairs, products=zeros, squares=zeros, spread=zeros)
        return replace(plain, pairs=pairs)
    return applied(x, x.pairs, function)


def sums(parts: Sequence[Moments], plain: Moments) -> Moments:
    """Complete a sum of independent operands."""
    known = [x.pairs for x in parts if x.pairs is not None]
    if len(known) != len(parts):
        return plain
    return replaced(plain, added(parts, on_one_grid(known)))


def products(
    parts: Sequence[Moments], factors: Sequence[Moments], plain: Moments
) -> Moments:
    """Complete a product of independent operands; factors are the same everywhere."""
    known = [x.pairs for x in parts if x.pairs is not None]
    if len(known) != len(parts) or not known:
        return plain
    found = multiplied(on_one_grid(known))
    for factor in factors:
        found = replace(found, products=found.products * factor.second_moment)
    return replaced(plain, found)


def concat(
    node: Node, parts: Sequence[Moments], sizes: Sequence[int], plain: Moments
) -> Moments:
    """Complete a concatenation, of units or of positions."""
    known = [x.pairs for x in parts if x.pairs is not None]
    if len(known) != len(parts):
        return plain
    axis = node.details.get("axis")
    if node.unit_axis is None or axis is None or axis == node.unit_axis:
        return replaced(plain, averaged(on_one_grid(known), sizes))
    return replaced(plain, lined_up(parts, known))


def scaled(x: Moments, factor: float) -> Moments:
    """Multiply the tensor's square by a number."""
    pairs = x.pairs
    if pairs is not None:
        pairs = replace(pairs, products=pairs.products * factor)
    return replace(
        x,
        mean=x.mean * factor**0.5,
        second_moment=x.second_moment * factor,
        pairs=pairs,
    )


def normalize(
    x: Moments, node: Node, group: GroupFacts, plain: Moments
) -> tuple[Moments, str]:
    """Complete a normalization, and say what it takes for granted.

    Where pairs were lost on the way, they begin anew here.
    """
    if x.pairs is None:
        phrase = "samples and positions taken as independent"
        return replace(plain, pairs=fresh_pairs(node, plain)), phrase
    return normalized(x, x.pairs, group), ""


def affine(
    x: Moments,
    gain: Moments,
    shift: Moments,
    rule: Callable[[Moments, Moments, Moments], Moments],
) -> Moments:
    """Complete a gain and a shift, the same at every sample and position."""
    plain = rule(x, gain, shift)
    if x.pairs is None:
        return plain
    constant = shift.second_moment + 2 * gain.mean * x.mean * shift.mean
    found = x.pairs.products * gain.second_moment + constant
    own = gain.variance / gain.second_moment if gain.second_moment else 0.0
    fourth = 1.0 + 4.0 * own - 2.0 * own**2  # m⁴ + 6m²s² + 3s⁴, over (m² + s²)²
    squares = (1.0 + x.pairs.squares) * fourth - 1.0
    return replaced(plain, replace(x.pairs, products=found, squares=squares))


def softmax(
    x: Moments, node: Node, n_keys: int, rule: Callable[[Moments, int], Moments]
) -> Moments:
    """Complete a softmax: over keys, where the tensor is of queries and keys."""
    pairs = x.pairs
    if pairs is None or not pairs.lengths or node.unit_axis is not None:
        return rule(x, n_keys)
    n_rows = prod(pairs.lengths[:-1])
    if len(pairs.lengths) != 2 or pairs.lengths[-1] != n_keys:
        pairs = pairs.collapsed((n_rows, n_keys))
    counts = keys_seen(node, n_keys)
    if len(counts) > 1 and n_rows != len(counts):
        pairs = replace(pairs, lengths=(len(counts), n_keys))
    found = shares(pairs, counts)
    return replaced(Moments(mean=1.0 / n_keys), found)


def contract(
    node: Node, flow: Flow, parts: Sequence[Moments], are_shares: Sequence[bool]
) -> tuple[Moments, str]:
    """Give a contraction of two activations, and what it takes for granted."""
    a, b = parts
    if any(are_shares):
        alpha, values = (a, b) if are_shares[0] else (b, a)
        if alpha.pairs is not None and values.pairs is not None and alpha.pairs.lengths:
            found = averaged_values(alpha.pairs, values)
            phrase = "attention shares taken as independent of values"
            return replaced(Moments(mean=values.mean), found), phrase
    n_terms = terms_of(node, flow)
    phrase = "factors of a contraction taken as independent"
    mean = n_terms * a.mean * b.mean
    if a.pairs is None or b.pairs is None:
        own = n_terms * (a.second_moment * b.second_moment - (a.mean * b.mean) ** 2)
        return Moments(mean=mean, second_moment=own + mean**2), phrase
    found = contracted(a, b, n_terms, max(a.pairs.n_units / n_terms, 1.0))
    return replaced(Moments(mean=mean), found), phrase


def terms_of(node: Node, flow: Flow, without: int | None = None) -> int:
    """Give how many products one output sums.

    With ``without``, how many of the output does one entry of that input go into.
    """
    subscripts = str(node.details.get("subscripts", ""))
    operands, _, output = subscripts.partition("->")
    lengths: dict[str, int] = {}
    letters_of: dict[int, str] = {}
    for letters, source in zip(operands.split(","), node.inputs, strict=False):
        shape = flow.nodes[source].shape
        if len(letters) == len(shape):
            lengths |= dict(zip(letters, shape, strict=True))
            letters_of[source] = letters
    kept = output if without is None else letters_of.get(without, "")
    inner = [n for letter, n in lengths.items() if letter not in kept]
    return prod(inner) if inner else n_units_of(flow.nodes[node.inputs[0]])


def mean(x: Moments, node: Node, k: int, plain: Moments) -> Moments:
    """Complete a mean or a sum over windows or all positions."""
    if x.pairs is None:
        return plain
    factor = float(k) if node.details.get("kind") == "sum" else 1.0
    means = _window_means(x.pairs, node, k)
    return mean_pooled(x, x.pairs, means, factor)


def maximum(
    before: Moments, node: Node, function: ScalarFunction, plain: Moments
) -> Moments:
    """Complete a maximum over windows or all positions."""
    if before.pairs is None:
        return plain
    k = int(prod(before.pairs.lengths)) or 1
    window = node.details.get("window")
    k = int(window) if isinstance(window, int | float) else k
    return max_pooled(before, _window_means(before.pairs, node, k), k, function)


def _window_means(pairs: Pairs, node: Node, k: int) -> Pairs:
    windows = windows_of(node)
    lengths = positions_of(node) if node.unit_axis is not None else ()
    if prod(lengths) == 1:
        lengths = ()
    if windows is not None:
        lengths = tuple(axis.n_out for axis in windows)
    if not lengths and k < prod(pairs.lengths):
        k = prod(pairs.lengths)
    return window_means(pairs, windows, lengths, k)


def noise(x: Moments, p: float, plain: Moments) -> Moments:
    """Complete dropout."""
    if x.pairs is None or p >= 1.0:
        return replace(plain, pairs=None)
    return replaced(plain, masked(x.pairs, p))
