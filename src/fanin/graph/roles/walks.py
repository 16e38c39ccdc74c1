"""Short walks that several roles are found by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.graph import Op

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node

MOVING = frozenset({Op.REARRANGE, Op.NOISE})
"""Operations that hand on each number, moved or masked."""


def is_bounded(node: Node) -> bool:
    """Say whether the function stays within ±2 far out: a sigmoid or a tanh."""
    if node.function is None:
        return False
    with np.errstate(all="ignore"):
        far = np.asarray(node.function(np.array([-1e3, 1e3])))
    return bool(np.all(np.abs(far) <= 2.0))


def is_cap(node: Node) -> bool:
    """Say whether an odd function levels off, as c·tanh(x/c) does for any c.

    >>> from fanin.graph.graph import Node
    >>> is_cap(
    ...     Node(
    ...         id=0,
    ...         op=Op.ELEMENTWISE,
    ...         shape=(1,),
    ...         function=lambda x: 30 * np.tanh(x / 30),
    ...     )
    ... )
    True
    """
    if node.op is not Op.ELEMENTWISE or node.function is None:
        return False
    x = np.array([1e3, 1e5, 1e6])
    with np.errstate(all="ignore"):
        above = np.asarray(node.function(x), dtype=np.float64)
        below = np.asarray(node.function(-x), dtype=np.float64)
    is_odd = np.allclose(above, -below, rtol=1e-6)
    return bool(is_odd and np.isclose(above[1], above[2]) and above[2] > 0.0)


def is_exponential(node: Node) -> bool:
    """Say whether an elementwise node is c·exp(a·x) with a > 0."""
    if node.op is not Op.ELEMENTWISE or node.function is None:
        return False
    x = np.array([-2.0, -1.0, 0.0, 1.0])
    with np.errstate(all="ignore"):
        y = np.asarray(node.function(x), dtype=np.float64)
    if not np.isfinite(y).all() or np.any(y <= 0.0):
        return False
    ratios = y[1:] / y[:-1]
    return bool(ratios[0] > 1.001 and np.allclose(ratios, ratios[0], rtol=1e-6))


def is_product(flow: Flow, node: Node) -> bool:
    """Say whether a node multiplies two activations or more."""
    return node.op is Op.MULTIPLY and len(flow.before(node)) > 1


def is_scaling(flow: Flow, node: Node) -> bool:
    """Say whether a node multiplies one activation by constants or parameters."""
    return node.op is Op.MULTIPLY and len(flow.before(node)) == 1


def forward(
    flow: Flow, node: Node, passing: Callable[[Node], bool]
) -> Iterator[tuple[Node, Node]]:
    """Yield (last node passed, first node not passed) on every way after ``node``."""
    waiting = [(node, reader) for reader in flow.after(node.id)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        last, current = waiting.pop(0)
        if (last.id, current.id) in seen:
            continue
        seen.add((last.id, current.id))
        if passing(current):
            waiting += [(current, reader) for reader in flow.after(current.id)]
        else:
            yield last, current


def backward(
    flow: Flow, node: Node, passing: Callable[[Node], bool]
) -> Iterator[tuple[Node, ...]]:
    """Yield each way back from ``node`` to the first node that is not passed.

    A way is the nodes from ``node`` on back, both ends included. A node is crossed
    once, on the first way that comes to it.
    """
    waiting: list[tuple[Node, ...]] = [(node,)]
    seen: set[int] = set()
    while waiting:
        way = waiting.pop(0)
        current = way[-1]
        if current.id in seen:
            continue
        seen.add(current.id)
        if passing(current):
            waiting += [(*way, source) for source in flow.before(current)]
        else:
            yield way


def is_slice(node: Node) -> bool:
    """Say whether a rearrangement takes a part of its input along one axis."""
    return node.op is Op.REARRANGE and "start" in node.details


def is_full(node: Node, source: Node) -> bool:
    """Say whether an operand is as large as the result, and not spread over it."""
    return _size(source) >= _size(node)


def _size(node: Node) -> int:
    return int(np.prod(node.shape, dtype=np.int64)) if node.shape else 1
