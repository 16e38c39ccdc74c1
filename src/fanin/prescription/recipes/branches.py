"""One branch of a residual stream: what lies on it, and how it scales.

A branch is all that its sum depends on since the fork, sums of other streams left out.
Weights that it reads from beside (keys and values of attention over another stream)
are on it too, unless several branches share them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.graph.flow import VALUES
from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind
from fanin.graph.roles.walks import MOVING, is_bounded

if TYPE_CHECKING:
    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node
    from fanin.graph.roles.residual import Joint
    from fanin.graph.roles.setting import Setting

_SOURCE_SIDES = frozenset({RoleKind.KEY, RoleKind.VALUE})


@dataclass(frozen=True, kw_only=True)
class Members:
    """What lies on the branches of one joint; ids are of nodes.

    own: reached from the fork; beside: not, but read there. has_attention: it mixes
    positions by softmax shares; elsewhere: linear nodes that write keys or values of
    another stream, while the queries are this one's.
    """

    own: frozenset[int]
    beside: frozenset[int]
    has_attention: bool
    elsewhere: tuple[int, ...]

    @property
    def all(self) -> frozenset[int]:
        """Give both."""
        return self.own | self.beside


def members_of(setting: Setting, joint: Joint) -> Members:
    """Give what lies on the branches of a joint that has a stream.

    >>> from fanin.graph.roles.setting import setting_of
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.dense(sketch.input((4, 2)), 3, path="stem")
    >>> z = sketch.dense(x, 8, path="up")
    >>> y = sketch.combine(Op.ADD, x, sketch.dense(z, 3, path="down"))
    >>> setting = setting_of(sketch.graph(y))
    >>> sorted(members_of(setting, setting.joints[y]).own)
    [2, 3]
    """
    flow, fork = setting.flow, -1 if joint.fork is None else joint.fork
    reached = _reached(flow, fork, joint.node)
    found: set[int] = set()
    waiting = list(joint.branches)
    while waiting:
        current = waiting.pop()
        is_foreign = current in setting.joined and current not in reached
        is_end = current == fork or flow.nodes[current].op in VALUES
        if current not in found and not is_end and not is_foreign:
            found.add(current)
            waiting += flow.nodes[current].inputs
    own, beside = frozenset(found & reached), frozenset(found - reached)
    return Members(
        own=own,
        beside=beside,
        has_attention=bool(found & setting.attention.mixes),
        elsewhere=_elsewhere(setting, own, beside),
    )


def _reached(flow: Flow, fork: int, last: int) -> set[int]:
    """Give the nodes up to ``last`` that depend on the fork."""
    found = {fork}
    for node_id in range(fork + 1, last):
        node = flow.nodes.get(node_id)
        if node is not None and found.intersection(node.inputs):
            found.add(node_id)
    return found - {fork}


def _elsewhere(
    setting: Setting, own: frozenset[int], beside: frozenset[int]
) -> tuple[int, ...]:
    """Give the weights beside the branch that write keys or values for its queries."""
    sides = setting.attention.sides
    kinds = {kind for i in own for kind, _ in sides.get(i, ())}
    if RoleKind.QUERY not in kinds or RoleKind.VALUE in kinds:
        return ()
    return tuple(
        i
        for i in sorted(beside)
        if any(kind in _SOURCE_SIDES for kind, _ in sides.get(i, ()))
    )


@dataclass(frozen=True, kw_only=True)
class Homogeneity:
    """How a branch's output grows with its weights.

    degree: m, where the branch without its normalized and bounded parts is multiplied
    by cᵐ if each weight in ``weights`` (ids of linear nodes) is multiplied by c.
    """

    degree: int
    weights: frozenset[int]


def homogeneity(flow: Flow, joint: Joint, members: Members) -> Homogeneity:
    """Count the weights that a branch's size depends on, its last one included.

    A normalization, a softmax or a bounded function hides the size of what came
    before; a product adds the degrees of its factors; of a sum the largest counts.

    >>> import numpy as np
    >>> from fanin.graph.roles.setting import setting_of
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.dense(sketch.input((4, 2)), 3, path="stem")
    >>> z = sketch.dense(sketch.normalize(x, path="norm"), 8, path="up")
    >>> z = sketch.dense(sketch.apply(z, np.tanh), 3, path="down")
    >>> y = sketch.combine(Op.ADD, x, z)
    >>> setting = setting_of(sketch.graph(y))
    >>> joint = setting.joints[y]
    >>> homogeneity(setting.flow, joint, members_of(setting, joint)).degree
    1
    """
    degrees: dict[int, int] = {}
    for node_id in sorted(members.all):
        node = flow.nodes[node_id]
        before = [degrees.get(i, 0) for i in node.inputs]
        degrees[node_id] = _degree(node, before)
    found: set[int] = set()
    waiting, seen = list(joint.branches), set[int]()
    while waiting:
        current = waiting.pop()
        if current in seen or current not in members.all:
            continue
        seen.add(current)
        node = flow.nodes[current]
        if node.op is Op.LINEAR:
            found.add(current)
        if not _hides(node):
            waiting += node.inputs
    degree = max((degrees.get(i, 0) for i in joint.branches), default=0)
    return Homogeneity(degree=degree, weights=frozenset(found))


def stream_order(flow: Flow, joint: Joint, members: Members) -> int:
    """Give the power of its stream that a branch grows with: 1, or 2 behind a product.

    0 where a normalization or a bounded function hides the stream's size.

    >>> from fanin.graph.roles.setting import setting_of
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.dense(sketch.input((4, 2)), 3, path="stem")
    >>> a, b = (sketch.dense(x, 8, path=name) for name in "ab")
    >>> end = sketch.dense(sketch.combine(Op.MULTIPLY, a, b), 3, path="end")
    >>> y = sketch.combine(Op.ADD, x, end)
    >>> setting = setting_of(sketch.graph(y))
    >>> joint = setting.joints[y]
    >>> stream_order(setting.flow, joint, members_of(setting, joint))
    2
    """
    orders = {} if joint.fork is None else {joint.fork: 1}
    for node_id in sorted(members.own):
        node = flow.nodes[node_id]
        before = [orders.get(i, 0) for i in node.inputs]
        is_product = node.op in {Op.MULTIPLY, Op.CONTRACT}
        order = sum(before) if is_product else max(before, default=0)
        orders[node_id] = 0 if _hides(node) else order
    return max((orders.get(i, 0) for i in joint.branches), default=0)


def _degree(node: Node, before: list[int]) -> int:
    if _hides(node):
        return 0
    if node.op in {Op.MULTIPLY, Op.CONTRACT}:
        return sum(before)
    is_weight = node.op is Op.LINEAR and not _is_lookup(node)
    return max(before, default=0) + is_weight


def _hides(node: Node) -> bool:
    """Say whether a node's output has a size of its own, whatever it reads."""
    is_number = node.op in {Op.NORMALIZE, Op.SOFTMAX}
    return is_number or (node.op is Op.ELEMENTWISE and is_bounded(node))


def _is_lookup(node: Node) -> bool:
    return node.weight is not None and node.weight.roles.is_lookup


def is_normalized_after(flow: Flow, joint: Joint) -> bool:
    """Say whether nothing but a normalization reads the stream after the sum."""
    readers = list(flow.first_after(flow.nodes[joint.node], MOVING))
    return bool(readers) and all(reader.op is Op.NORMALIZE for reader in readers)
