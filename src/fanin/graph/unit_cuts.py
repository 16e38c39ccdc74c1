"""Where the units of a weight's output are cut into parts: gates, halves of a GLU."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.graph.roles.walks import forward, is_slice

if TYPE_CHECKING:
    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node
    from fanin.graph.unit_spaces import Layout

_UNITWISE = frozenset({Op.REARRANGE, Op.NOISE, Op.ELEMENTWISE, Op.ADD})


def part_lengths(
    flow: Flow, linear: Node, joined: frozenset[int] = frozenset()
) -> tuple[int, ...]:
    """Give the lengths of the parts into which slices cut the units, in order.

    Looks behind sums and activations, but not along a residual stream (``joined``:
    ids of the sums where branches come back). One length if nothing cuts them.

    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> z = sketch.dense(sketch.input((8, 2)), 6, path="0")
    >>> half = {"axis": 1, "start": 4, "step": 1}
    >>> cut = sketch.add_node(Op.REARRANGE, (z,), shape=(8, 2), details=half)
    >>> flow = Flow(sketch.graph(cut))
    >>> part_lengths(flow, flow.nodes[z])
    (4, 2)
    """
    if linear.unit_axis is None:
        return ()
    n_units = linear.shape[linear.unit_axis]

    def passing(node: Node) -> bool:
        is_whole = node.unit_axis is not None and node.shape[node.unit_axis] == n_units
        return is_whole and node.op in _UNITWISE and node.id not in joined

    bounds = {0, n_units}
    for last, reader in forward(flow, linear, passing):
        found = unit_range(last, reader)
        if found is not None:
            bounds |= {found[0], found[0] + found[1]}
    return tuple(after - before for before, after in pairwise(sorted(bounds)))


def unit_range(source: Node, node: Node) -> tuple[int, int] | None:
    """Give start and length of a slice along the units, None if it is none."""
    axis, start = node.details.get("axis"), node.details.get("start")
    if not is_slice(node) or axis != source.unit_axis or node.unit_axis is None:
        return None
    if not isinstance(start, int) or node.details.get("step", 1) != 1:
        return None
    n_units = source.shape[source.unit_axis or 0]
    return start % n_units, node.shape[node.unit_axis]


def taken(layout: Layout, start: int, length: int) -> Layout | None:
    """Give the segments that a slice takes, None where it cuts one in two.

    >>> from fanin.graph.unit_spaces import Segment
    >>> halves = (Segment(space=0, size=3), Segment(space=1, size=3, start=3))
    >>> [segment.space for segment in taken(halves, 3, 3)]
    [1]
    >>> taken(halves, 2, 3) is None
    True
    """
    stop = start + length
    inside = [
        replace(segment, start=segment.start - start)
        for segment in layout
        if segment.repeat == 1
        and start <= segment.start
        and segment.start + segment.size <= stop
    ]
    return tuple(inside) if sum(s.size for s in inside) == length else None
