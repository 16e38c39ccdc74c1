"""Residual joints: the sums where a branch comes back to its stream.

All operands of such a sum come from one fork. The stream takes the shorter way (no
weight, or a projection), the branches the longer ones. Sums with equally many weights
on all ways (two projections), recurrent steps, adapters and sums of attention's logits
(a bias of relative positions comes from the stream too) are plain sums. A plain sum
that joins a stream as one operand is several branches (attention and MLP in parallel).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fanin.graph.flow import SHAPING, VALUES, Flow, is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.adapters import adapters
from fanin.graph.roles.attention import logit_nodes
from fanin.graph.roles.recurrence import recurrent_uses
from fanin.graph.roles.residual_fork import fork_of, ways
from fanin.graph.roles.walks import is_bounded, is_full

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Node

_BACK_TO_WEIGHT = SHAPING | {Op.ELEMENTWISE, Op.NORMALIZE, Op.CONCAT, Op.MULTIPLY}


@dataclass(frozen=True, kw_only=True)
class Joint:
    """One sum of activations.

    node: id of the ADD; shortcut: id of the operand that is the stream, None for a
    plain sum; branches: ids of the other operands (of all operands of a plain sum; of
    the operands of a plain sum that is added to a stream).
    ends: ids of the last linear nodes of the branches. fork: id of the node where the
    ways part. stream: number of the stream that it is part of; n_branches: how many
    branches that stream takes up in all.
    """

    node: int
    shortcut: int | None
    branches: tuple[int, ...]
    ends: tuple[int, ...]
    fork: int | None = None
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
    recurrent = {n.id for uses in recurrent_uses(flow).values() for n in uses}
    besides = frozenset(adapter.node for adapter in adapters(flow))
    logits = logit_nodes(flow)
    found: dict[int, Joint] = {}
    for node in flow.graph.nodes:
        operands = tuple(dict.fromkeys(n.id for n in flow.before(node)))
        if node.op is Op.ADD and len(operands) > 1 and node.id not in besides:
            plain = _plain(flow, node, operands, besides)
            is_step = bool(recurrent.intersection(plain.ends))
            is_plain = is_step or node.id in logits
            found[node.id] = plain if is_plain else _joint(flow, plain, besides, found)
    return _with_streams(flow, list(found.values()))


def ends(
    flow: Flow, node_id: int, besides: frozenset[int] = frozenset()
) -> tuple[int, ...]:
    """Give the linear nodes that wrote a tensor last: ids, in order.

    Looks back through activations, normalization, pooling and the like, through the
    sums named in ``besides``, and through products to the operands that are as large
    as the product and not bounded: a gate says how much of a value, not how large.
    """
    waiting, found, seen = [flow.nodes[node_id]], set(), set()
    while waiting:
        current = waiting.pop()
        if current.id in seen:
            continue
        seen.add(current.id)
        if current.op is Op.LINEAR:
            found.add(current.id)
        elif current.op in _BACK_TO_WEIGHT or current.id in besides:
            waiting += _writers(flow, current)
    return tuple(sorted(found))


def _writers(flow: Flow, node: Node) -> list[Node]:
    sources = list(flow.before(node))
    if node.op is not Op.MULTIPLY:
        return sources
    full = [source for source in sources if is_full(node, source)] or sources
    plain = [source for source in full if not is_bounded(source)]
    return plain or full


def _plain(
    flow: Flow, node: Node, operands: tuple[int, ...], besides: frozenset[int]
) -> Joint:
    last = [end for operand in operands for end in ends(flow, operand, besides)]
    return Joint(
        node=node.id,
        shortcut=None,
        branches=operands,
        ends=tuple(dict.fromkeys(last)),
    )


def _joint(
    flow: Flow, plain: Joint, besides: frozenset[int], earlier: Mapping[int, Joint]
) -> Joint:
    """Find the stream among the operands of a sum, if one is."""
    fork = fork_of(flow, plain.branches)
    shortcut = _shortcut(flow, fork, plain.branches)
    if shortcut is None:
        return plain
    parts = [_parts(flow, i, earlier) for i in plain.branches if i != shortcut]
    branches = tuple(part for several in parts for part in several)
    last = [end for branch in branches for end in ends(flow, branch, besides)]
    return replace(
        plain,
        shortcut=shortcut,
        branches=branches,
        ends=tuple(dict.fromkeys(last)),
        fork=fork,
    )


def _parts(flow: Flow, branch: int, earlier: Mapping[int, Joint]) -> tuple[int, ...]:
    """Give the operands of the plain sum that a branch is, or the branch itself."""
    current = flow.nodes[branch]
    while current.op in SHAPING or is_affine(current):
        sources = flow.before(current)
        if len(sources) != 1:
            return (branch,)
        current = sources[0]
    joint = earlier.get(current.id)
    if joint is None or joint.shortcut is not None:
        return (branch,)
    return tuple(p for part in joint.branches for p in _parts(flow, part, earlier))


def _shortcut(flow: Flow, fork: int | None, operands: tuple[int, ...]) -> int | None:
    """Give the operand with the fewest weights since the fork, if it stands alone.

    The shortest ways are compared first: a stream that has just taken up a branch has
    a way without weights still, and so has a longest way as long as the branch's.
    """
    if fork is None or flow.nodes[fork].op in VALUES - {Op.INPUT}:
        return None
    n_weights = [ways(flow, fork, operand) for operand in operands]
    fewest = min(n_weights)
    if n_weights.count(fewest) > 1:
        return None
    return operands[n_weights.index(fewest)]


def _with_streams(flow: Flow, found: list[Joint]) -> tuple[Joint, ...]:
    """Number the streams: a joint continues the stream that its shortcut comes from.

    A projection on the shortcut continues it. A weight that shortcut and branches read
    from behind begins a new one: its output is of a size of its own.
    """
    stream_of: dict[int, int] = {}
    for joint in found:
        if joint.shortcut is not None:
            earlier = _joint_before(flow, joint, stream_of)
            stream_of[joint.node] = joint.node if earlier is None else earlier
    n_branches: dict[int, int] = {}
    for joint in found:
        if joint.node in stream_of:
            stream = stream_of[joint.node]
            n_branches[stream] = n_branches.get(stream, 0) + len(joint.branches)
    return tuple(
        replace(
            joint,
            stream=stream_of.get(joint.node, joint.node),
            n_branches=n_branches.get(stream_of.get(joint.node, -1), 0),
        )
        for joint in found
    )


def _joint_before(flow: Flow, joint: Joint, stream_of: dict[int, int]) -> int | None:
    """Follow a stream back, through whatever has one input, to its last joint."""
    current, is_before_fork = flow.nodes[joint.shortcut or 0], False
    while current.id not in stream_of:
        is_before_fork = is_before_fork or current.id == joint.fork
        sources = flow.before(current)
        is_weight = current.op is Op.LINEAR and is_before_fork
        if len(sources) != 1 or is_weight:
            return None
        current = sources[0]
    return stream_of[current.id]
