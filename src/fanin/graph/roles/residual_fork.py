"""Where the operands of a sum parted, and how many weights each passed since."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from fanin.graph.flow import SHAPING, VALUES
from fanin.graph.graph import Op

if TYPE_CHECKING:
    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node

_WEIGHTLESS = SHAPING | {Op.NORMALIZE, Op.ELEMENTWISE}


def fork_of(flow: Flow, operands: tuple[int, ...]) -> int | None:
    """Give the last node that all operands depend on, before any normalization.

    Walks back from all operands at once, the latest node first, so that no more is
    visited than lies between the fork and the sum. Where the fork is a normalization
    or an activation of one tensor, that tensor is the fork: a stream is not normalized
    where its branches are.

    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.input((4, 3))
    >>> a = sketch.dense(sketch.normalize(x, path="norm"), 3, path="0")
    >>> fork_of(Flow(sketch.graph(a)), (a, x)) == x
    True
    """
    everyone = (1 << len(operands)) - 1
    reached = dict.fromkeys(operands, 0)
    for place, operand in enumerate(operands):
        reached[operand] |= 1 << place
    heap: list[int] = []
    for operand in reached:
        heappush(heap, -operand)
    while heap:
        current = -heappop(heap)
        if reached[current] == everyone and flow.nodes[current].op not in (
            VALUES - {Op.INPUT}
        ):
            return _lifted(flow, current)
        for source in set(flow.nodes[current].inputs):
            if source not in reached:
                reached[source] = 0
                heappush(heap, -source)
            reached[source] |= reached[current]
    return None


def _lifted(flow: Flow, node_id: int) -> int:
    current = flow.nodes[node_id]
    while current.op in _WEIGHTLESS:
        sources = flow.before(current)
        if len(sources) != 1:
            break
        current = sources[0]
    return current.id


def ways(flow: Flow, fork: int, operand: int) -> tuple[int, int, int]:
    """Count the weights on the shortest and on the longest way from fork to operand.

    The third number tells ways without any weight apart: how many contractions of
    activations are on the longest one; 0 where there is a weight.

    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.graph import Op
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.input((4, 3))
    >>> y = sketch.combine(Op.ADD, x, sketch.dense(x, 3, path="0"))
    >>> ways(Flow(sketch.graph(y)), x, y)
    (0, 1, 0)
    """
    between: set[int] = set()
    waiting = [operand]
    while waiting:
        current = waiting.pop()
        if current not in between and current >= fork:
            between.add(current)
            waiting += flow.nodes[current].inputs
    counts = {fork: (0, 0, 0)}
    for node_id in sorted(between - {fork}):
        node = flow.nodes[node_id]
        known = [counts[i] for i in node.inputs if i in counts]
        if known:
            counts[node_id] = _passed(node, known)
    few, many, contracted = counts.get(operand, (0, 0, 0))
    return few, many, 0 if many else contracted


def _passed(node: Node, before: list[tuple[int, int, int]]) -> tuple[int, int, int]:
    few, many, contracted = zip(*before, strict=True)
    weight, contraction = int(node.op is Op.LINEAR), int(node.op is Op.CONTRACT)
    return min(few) + weight, max(many) + weight, max(contracted) + contraction
