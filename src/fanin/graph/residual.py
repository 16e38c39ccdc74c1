"""Residual joints: the sums where a branch comes back to its stream.

Both operands of such a sum come from one fork. The stream takes the shorter way (no
weight, or a projection), the branch the longer one. Sums with equally many weights on
both ways (two projections, a recurrent step) are plain sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.graph.flow import SHAPING, VALUES, Flow
from fanin.graph.graph import Op

if TYPE_CHECKING:
    from fanin.graph.graph import Node

_BACK_TO_WEIGHT = SHAPING | {Op.ELEMENTWISE, Op.NORMALIZE, Op.CONCAT, Op.MULTIPLY}


@dataclass(frozen=True, kw_only=True)
class Joint:
    """One sum of activations.

    node: id of the ADD; shortcut: id of the operand that is the stream, None for a
    plain sum; branches: ids of the other operands (of all operands of a plain sum).
    ends: ids of the last linear nodes of the branches. stream: number of the stream
    that it is part of; n_branches: how many branches that stream takes up in all.
    """

    node: int
    shortcut: int | None
    branches: tuple[int, ...]
    ends: tuple[int, ...]
    stream: int = 0
    n_branches: int = 0


def joints(flow: Flow) -> tuple[Joint, ...]:
    """Find every sum of two or more activations, and the streams they form.

    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.dense(sketch.input((4, 2)), 3, path="0")
    >>> y = sketch.combine(Op.ADD, x, sketch.dense(x, 3, path="1"))
    >>> (joint,) = joints(Flow(sketch.graph(y)))
    >>> joint.shortcut == x, joint.n_branches
    (True, 1)
    """
    found = [_joint(flow, n) for n in flow.graph.nodes if n.op is Op.ADD]
    real = [joint for joint in found if joint is not None]
    return _with_streams(flow, real)


def ends(flow: Flow, node_id: int) -> tuple[int, ...]:
    """Give the linear nodes that wrote a tensor last: ids, in order.

    Looks back through activations, normalization, products, pooling and the like.
    """
    waiting, found = [flow.nodes[node_id]], set()
    while waiting:
        current = waiting.pop()
        if current.op is Op.LINEAR:
            found.add(current.id)
        elif current.op in _BACK_TO_WEIGHT:
            waiting += flow.before(current)
    return tuple(sorted(found))


def _joint(flow: Flow, node: Node) -> Joint | None:
    operands = tuple(dict.fromkeys(n.id for n in flow.before(node)))
    if len(operands) < 2:
        return None
    shortcut = _shortcut(flow, operands)
    branches = tuple(i for i in operands if i != shortcut)
    last = [end for branch in branches for end in ends(flow, branch)]
    joint = Joint(
        node=node.id,
        shortcut=shortcut,
        branches=branches,
        ends=tuple(dict.fromkeys(last)),
    )
    if shortcut is not None and any(_is_reused(flow, end) for end in joint.ends):
        return Joint(node=node.id, shortcut=None, branches=operands, ends=joint.ends)
    return joint


def _shortcut(flow: Flow, operands: tuple[int, ...]) -> int | None:
    """Give the operand with the fewest weights since the fork, if it stands alone."""
    reached = [flow.ancestors(operand) for operand in operands]
    common = {
        i
        for i in set.intersection(*reached)
        if flow.nodes[i].op not in VALUES - {Op.INPUT}
    }
    if not common:
        return None
    fork = max(common)
    n_weights = [
        _n_weights(flow, fork, operand, ancestors)
        for operand, ancestors in zip(operands, reached, strict=True)
    ]
    fewest = min(n_weights)
    if n_weights.count(fewest) > 1:
        return None
    return operands[n_weights.index(fewest)]


def _n_weights(flow: Flow, fork: int, operand: int, ancestors: set[int]) -> int:
    """Count the linear nodes on the longest way from the fork to the operand."""
    longest = {fork: 0}
    for node_id in sorted(i for i in ancestors if i > fork):
        node = flow.nodes[node_id]
        ways = [longest[i] for i in node.inputs if i in longest]
        if ways:
            longest[node_id] = max(ways) + (node.op is Op.LINEAR)
    return longest.get(operand, 0)


def _is_reused(flow: Flow, node_id: int) -> bool:
    """Say whether the weight of a linear node runs again elsewhere (recurrence)."""
    weight = flow.nodes[node_id].weight
    if weight is None:
        return False
    users = [n for n in flow.graph.linears if n.weight and n.weight.path == weight.path]
    return len(users) > 1


def _with_streams(flow: Flow, found: list[Joint]) -> tuple[Joint, ...]:
    """Number the streams: a joint continues the stream that its shortcut comes from."""
    stream_of: dict[int, int] = {}
    for joint in found:
        if joint.shortcut is not None:
            earlier = _joint_before(flow, joint.shortcut, stream_of)
            stream_of[joint.node] = joint.node if earlier is None else earlier
    n_branches: dict[int, int] = {}
    for joint in found:
        if joint.node in stream_of:
            stream = stream_of[joint.node]
            n_branches[stream] = n_branches.get(stream, 0) + len(joint.branches)
    return tuple(
        Joint(
            node=joint.node,
            shortcut=joint.shortcut,
            branches=joint.branches,
            ends=joint.ends,
            stream=stream_of.get(joint.node, joint.node),
            n_branches=n_branches.get(stream_of.get(joint.node, -1), 0),
        )
        for joint in found
    )


def _joint_before(flow: Flow, node_id: int, stream_of: dict[int, int]) -> int | None:
    """Follow a stream back, through whatever has one input, to its last joint."""
    current = flow.nodes[node_id]
    while current.id not in stream_of:
        sources = flow.before(current)
        if len(sources) != 1:
            return None
        current = sources[0]
    return stream_of[current.id]
