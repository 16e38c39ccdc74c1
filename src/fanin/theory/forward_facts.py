"""What forward rules read off a node: how it is wired, the numbers of its weight."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import pi, prod, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.graph import Op
from fanin.graph.windows import WindowAxis
from fanin.theory.given import number, padding_share
from fanin.theory.layout import n_units_of
from fanin.theory.moments import LinearFacts, Moments
from fanin.theory.normalization import GroupFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.flow import Flow
    from fanin.graph.graph import Graph, Node, ScalarFunction
    from fanin.theory.given import Given

Join = Callable[[np.ndarray, np.ndarray], np.ndarray]
MOVING = frozenset({Op.REARRANGE, Op.NOISE})


def windows_of(node: Node) -> tuple[WindowAxis, ...] | None:
    """Give the windows of a convolution or a pooling, where the recorder knew them."""
    found = node.details.get("windows")
    if not isinstance(found, tuple) or not found:
        return None
    windows = tuple(axis for axis in found if isinstance(axis, WindowAxis))
    return windows if len(windows) == len(found) else None


def linear_facts(graph: Graph, given: Given, node: Node) -> LinearFacts | None:
    """Give mean and variance of a weight and of its bias; None without a variance."""
    weight = node.weight
    if weight is None or weight.path not in given.variances:
        return None
    entry = given.of(weight.path, mean=0.0)
    bias = given.of(node.bias, mean=0.0)
    shape = graph.parameter(weight.path).shape
    return LinearFacts(
        n_terms=weight.fan.n_in * (1.0 - padding_share(node)),
        n_units=float(prod(shape[i] for i in weight.roles.inputs)),
        variance=entry.variance,
        mean=entry.mean,
        bias_variance=bias.variance,
        bias_mean=bias.mean,
        n_groups=weight.roles.groups,
    )


def group_facts(node: Node) -> GroupFacts:
    """Give what a NORMALIZE node normalizes together."""
    axes = node.details.get("axes")
    axes = axes if isinstance(axes, tuple) else ()
    groups = max(number(node, "groups", 1.0), 1.0)
    units = n_units_of(node) / groups if node.unit_axis in axes else 1.0
    if not axes or node.unit_axis is None:
        units = float(max(prod(node.shape[i] for i in axes), 1)) if axes else 1e9
    others = set(axes) - {node.unit_axis, node.batch_axis}
    return GroupFacts(
        kind=str(node.details.get("kind")),
        eps=number(node, "eps", 0.0),
        n_units=units,
        has_positions=bool(others) and node.unit_axis is not None,
    )


def comes_from_softmax(flow: Flow, node_id: int) -> bool:
    """Say whether a tensor is the shares of a softmax, moved or masked."""
    node = flow.nodes[node_id]
    while node.op in MOVING and node.inputs:
        node = flow.nodes[node.inputs[0]]
    return node.op is Op.SOFTMAX


def one_function(
    flow: Flow, node: Node, join: Join
) -> tuple[int, ScalarFunction] | None:
    """Give the tensor of which all operands are scalar functions, and their join.

    Returns:
        Its id and the function, or None where operands come from more than one.
    """
    chains = [_chain(flow, i) for i in node.inputs]
    roots = {root for root, _ in chains}
    if len(roots) != 1 or len(chains) < 2:
        return None

    def joined(x: np.ndarray) -> np.ndarray:
        parts = [_applied(functions, x) for _, functions in chains]
        return np.asarray(reduce(join, parts))

    return roots.pop(), joined


def _chain(flow: Flow, node_id: int) -> tuple[int, list[ScalarFunction]]:
    """Walk back over scalar functions: where they begin, and which, in order."""
    functions: list[ScalarFunction] = []
    node = flow.nodes[node_id]
    while (node.op is Op.ELEMENTWISE and node.function is not None) or (
        node.op is Op.NOISE
        and (number(node, "p", 0.0) == 0.0 or not flow.graph.is_training)
    ):
        if node.function is not None:
            functions.append(node.function)
        node = flow.nodes[node.inputs[0]]
    return node.id, functions[::-1]


def _applied(functions: Sequence[ScalarFunction], x: np.ndarray) -> np.ndarray:
    for function in functions:
        x = np.asarray(function(x))
    return x


def keys_seen(node: Node, n_keys: int) -> tuple[int, ...]:
    """Give how many keys each query sees: one number where all see as many.

    A constant mask that leaves (T + 1)/2 of T keys on average, for as many queries, is
    taken for a triangle: query t sees t.
    """
    seen = number(node, "n_unmasked", float(n_keys))
    n_queries = node.shape[-2] if len(node.shape) > 1 else 1
    is_masked = node.details.get("mask") == "constant"
    if is_masked and n_queries == n_keys and seen == (n_keys + 1) / 2:
        return tuple(range(1, n_keys + 1))
    return (max(round(seen), 1),)


def gain_of(given: Given, node: Node) -> Moments:
    """Give mean and variance of a normalization's gain: factor·scale + offset."""
    offset = number(node, "gain_offset", 0.0)
    factor = number(node, "gain_factor", 1.0) or 1.0
    held = given.of(node.scale, mean=(1.0 - offset) / factor)
    mean = factor * held.mean + offset
    return Moments(mean=mean, second_moment=mean**2 + factor**2 * held.variance)


def of_norm(node: Node, x: Moments | None) -> float:
    """Give what a norm multiplies a square by, over what its root mean square does.

    An l2 norm of n entries is √n times it, an l1 norm n times the mean size: that of a
    Gaussian around its mean, or of entries of one sign.
    """
    kind, n = node.details.get("kind"), number(node, "n_normalized", 1.0)
    if kind == "l2":
        return 1.0 / max(n, 1.0)
    if kind != "l1" or x is None or x.second_moment <= 0.0:
        return 1.0
    size = max(abs(x.mean), sqrt(2.0 * x.variance / pi))
    return x.second_moment / (n * size) ** 2 if size > 0.0 else 1.0


def table_entry(given: Given, node: Node) -> Moments:
    """Give mean and second moment of one entry of a looked-up table."""
    path = None if node.weight is None else node.weight.path
    return given.of(path, mean=0.0)
