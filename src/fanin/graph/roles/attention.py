"""Attention: two contractions with a softmax between, and the weights around them.

The first contraction gives logits; the softmax normalizes them over the keys, so the
operand that brings the normalized axis is the key side and the other the query side.
The second contraction mixes the other operand, the values, by the shares.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fanin.graph.flow import SHAPING, is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.kinds import RoleKind
from fanin.graph.roles.walks import (
    MOVING,
    backward,
    forward,
    is_scaling,
    is_slice,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node

_BESIDE_LOGITS = MOVING | {Op.ADD, Op.ELEMENTWISE, Op.OPAQUE, Op.CONCAT}
_TO_PROJECTION = SHAPING | {Op.ELEMENTWISE, Op.NORMALIZE, Op.CONCAT, Op.ADD}


@dataclass(frozen=True, kw_only=True)
class Attention:
    """What all attentions of a Graph are made of.

    sides: (kind, id of the first slice after the weight or None) of each linear node
    that writes queries, keys or values. logits: ids of the nodes between the first
    contraction and the softmax, both included. mixes: ids of the second contractions.
    """

    sides: dict[int, list[tuple[RoleKind, int | None]]] = field(default_factory=dict)
    logits: set[int] = field(default_factory=set)
    mixes: set[int] = field(default_factory=set)


def attention_of(flow: Flow, joined: frozenset[int]) -> Attention:
    """Find every attention; ``joined``: ids of the sums that walks must not cross.

    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.input((4, 5, 3))
    >>> q, k, v = (sketch.dense(x, 3, path=name) for name in "qkv")
    >>> logits = sketch.add_node(
    ...     Op.CONTRACT, (q, k), shape=(4, 5, 5), details={"subscripts": "bqd,bkd->bqk"}
    ... )
    >>> shares = sketch.add_node(Op.SOFTMAX, (logits,), details={"axis": 2})
    >>> mixed = sketch.combine(Op.CONTRACT, shares, v)
    >>> found = attention_of(Flow(sketch.graph(mixed)), frozenset())
    >>> [str(kind) for sides in found.sides.values() for kind, _ in sides]
    ['query', 'key', 'value']
    """
    found = Attention()
    softmaxes = (n for n in flow.graph.nodes if n.op is Op.SOFTMAX)
    for softmax in softmaxes:
        scores, between = _scores(flow, softmax)
        mixes = list(_mixes(flow, softmax))
        if scores and mixes:
            found.logits.update(between)
            found.mixes.update(mix.id for _, mix in mixes)
            for kind, node in (*_sides(softmax, scores, flow), *_values(flow, mixes)):
                _name(flow, node, kind, joined, found)
    return found


def logit_nodes(flow: Flow) -> frozenset[int]:
    """Give the ids of all nodes between first contractions and their softmaxes."""
    softmaxes = (node for node in flow.graph.nodes if node.op is Op.SOFTMAX)
    found = (_scores(flow, softmax) for softmax in softmaxes)
    return frozenset(i for scores, between in found if scores for i in between)


def _values(
    flow: Flow, mixes: list[tuple[Node, Node]]
) -> Iterator[tuple[RoleKind, Node]]:
    """Yield what is mixed: the operands that are not the shares."""
    for last, mix in mixes:
        for operand in flow.before(mix):
            if operand.id != last.id:
                yield RoleKind.VALUE, operand


def _scores(flow: Flow, softmax: Node) -> tuple[list[Node], set[int]]:
    """Give the contractions that the logits come from, and the nodes between."""

    def passing(node: Node) -> bool:
        if node.id == softmax.id or node.op in _BESIDE_LOGITS:
            return True
        return is_scaling(flow, node)

    scores, between = {}, {softmax.id}
    for way in backward(flow, softmax, passing):
        if way[-1].op is Op.CONTRACT:
            scores[way[-1].id] = way[-1]
            between.update(node.id for node in way)
    return [scores[i] for i in sorted(scores)], between


def _mixes(flow: Flow, softmax: Node) -> Iterator[tuple[Node, Node]]:
    """Yield (last node passed, contraction) for each that the shares go to."""

    def passing(node: Node) -> bool:
        is_moved = node.op in MOVING | {Op.CONCAT} or is_affine(node)
        return is_moved or is_scaling(flow, node)

    for last, reader in forward(flow, softmax, passing):
        if reader.op is Op.CONTRACT:
            yield last, reader


def _sides(
    softmax: Node, scores: list[Node], flow: Flow
) -> Iterator[tuple[RoleKind, Node]]:
    """Yield the two operands of each first contraction, and which side they are."""
    for score in scores:
        key = _key_place(softmax, score)
        for place, operand in enumerate(score.inputs[:2]):
            kind = RoleKind.KEY if place == key else RoleKind.QUERY
            yield kind, flow.nodes[operand]


def _key_place(softmax: Node, score: Node) -> int:
    """Give which operand of the first contraction brings the normalized axis."""
    inputs, arrow, output = str(score.details.get("subscripts", "")).partition("->")
    terms = inputs.split(",")
    axis = softmax.details.get("axis", -1)
    from_end = axis if isinstance(axis, int) and axis < 0 else -1
    if isinstance(axis, int) and axis >= 0:
        from_end = axis - len(softmax.shape)
    if not arrow or len(terms) < 2 or -from_end > len(output):
        return 1
    letter = output[from_end]
    return next((i for i, term in enumerate(terms) if letter in term), 1)


def _name(
    flow: Flow, source: Node, kind: RoleKind, joined: frozenset[int], found: Attention
) -> None:
    """Note what the weights that wrote a tensor are."""

    def passing(node: Node) -> bool:
        if node.id in joined:
            return False
        return node.op in _TO_PROJECTION or is_scaling(flow, node)

    for way in backward(flow, source, passing):
        linear = way[-1]
        if linear.op is Op.LINEAR and not _is_lookup(linear):
            side = (kind, _first_cut(way))
            known = found.sides.setdefault(linear.id, [])
            if side not in known:
                known.append(side)


def _first_cut(way: tuple[Node, ...]) -> int | None:
    """Give the slice next to the weight, with only rearranging between."""
    for node in reversed(way[:-1]):
        if is_slice(node):
            return node.id
        if node.op is not Op.REARRANGE:
            return None
    return None


def _is_lookup(node: Node) -> bool:
    return node.weight is not None and node.weight.roles.is_lookup
