"""Which units of a fused weight a slice of its output takes.

A slice is cut behind reshapes that split the axis of units into factors (heads times
three times width, say) and move other axes in between, but keep the factors in order.
The lengths of the axes tell which are the factors.
"""

from __future__ import annotations

from itertools import combinations
from math import prod
from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.graph.roles.walks import is_slice

if TYPE_CHECKING:
    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node

Rows = tuple[int, int, int]
"""start, size, period: the fields of a RoleSlice."""


def rows_of(flow: Flow, linear: Node, cut: Node) -> Rows | None:
    """Give the units of ``linear`` that the slice ``cut`` takes, None if not known.

    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> z = sketch.dense(sketch.input((2, 5, 8)), 24, path="qkv")
    >>> heads = sketch.add_node(Op.REARRANGE, (z,), shape=(2, 4, 5, 6), unit_axis=None)
    >>> cut = sketch.add_node(
    ...     Op.REARRANGE,
    ...     (heads,),
    ...     shape=(2, 4, 5, 2),
    ...     unit_axis=None,
    ...     details={"axis": 3, "start": 2, "step": 1},
    ... )
    >>> flow = Flow(sketch.graph(cut))
    >>> rows_of(flow, flow.nodes[z], flow.nodes[cut])
    (2, 2, 6)
    """
    source = flow.nodes[cut.inputs[0]]
    if linear.unit_axis is None or cut.details.get("step", 1) != 1:
        return None
    axis, start = cut.details.get("axis"), cut.details.get("start")
    if not isinstance(axis, int) or not isinstance(start, int):
        return None
    step = _stride(linear, source, axis)
    if step is None or axis >= len(source.shape):
        return None
    is_kept = len(cut.shape) == len(source.shape)
    n_taken = cut.shape[axis] if is_kept else 1
    first = start if start >= 0 else start + source.shape[axis]
    period = source.shape[axis] * step
    return first * step, n_taken * step, period


def _stride(linear: Node, node: Node, axis: int) -> int | None:
    """Give how many units lie behind one step along an axis, if the lengths agree."""
    unit_axis = linear.unit_axis or 0
    n_units = linear.shape[unit_axis]
    if node.unit_axis is not None:
        is_whole = node.unit_axis == axis and node.shape[axis] == n_units
        return 1 if is_whole else None
    is_behind = node.shape[:unit_axis] == linear.shape[:unit_axis]
    if is_behind and axis >= unit_axis and prod(node.shape[unit_axis:]) == n_units:
        return prod(node.shape[axis + 1 :])
    axes = [i for i in range(len(node.shape)) if i != node.batch_axis]
    found = {
        prod(node.shape[i] for i in chosen if i > axis)
        for count in range(1, len(axes) + 1)
        for chosen in combinations(axes, count)
        if axis in chosen and prod(node.shape[i] for i in chosen) == n_units
    }
    return found.pop() if len(found) == 1 else None


def cuts_after(flow: Flow, linear: Node) -> tuple[Node, ...]:
    """Give the slices that everything after a linear node is read through.

    () where something reads the whole output.
    """
    waiting, found = list(flow.after(linear.id)), []
    while waiting:
        current = waiting.pop(0)
        if is_slice(current):
            found.append(current)
        elif current.op is Op.REARRANGE:
            waiting += flow.after(current.id)
        else:
            return ()
    return tuple(found)
