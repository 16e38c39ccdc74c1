"""Low-rank adapters: two weights in a row beside a weight that reads the same tensor.

``W·x + c·B·(A·x)`` with no activation between A and B, and fewer units there than W
has on either side (LoRA: Hu et al. 2021, arXiv 2106.09685, section 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.graph.flow import is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.walks import MOVING, is_scaling

if TYPE_CHECKING:
    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """node: id of the sum; beside: id of W's node; down, up: of A's and B's."""

    node: int
    beside: int
    down: int
    up: int


def adapters(flow: Flow) -> tuple[Adapter, ...]:
    """Find every adapter.

    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.input((4, 16))
    >>> low = sketch.dense(sketch.dense(x, 2, path="A"), 8, path="B")
    >>> y = sketch.combine(Op.ADD, sketch.dense(x, 8, path="W"), low)
    >>> [found.up == low for found in adapters(Flow(sketch.graph(y)))]
    [True]
    """
    sums = (n for n in flow.graph.nodes if n.op is Op.ADD and len(n.inputs) == 2)
    found = (_adapter(flow, node) for node in sums)
    return tuple(adapter for adapter in found if adapter is not None)


def _adapter(flow: Flow, node: Node) -> Adapter | None:
    operands = flow.before(node)
    if len(operands) != 2:
        return None
    for beside, low in (operands, operands[::-1]):
        main, up = _weight_before(flow, beside), _weight_before(flow, low)
        if main is None or up is None or not up.inputs:
            continue
        down = _weight_before(flow, flow.nodes[up.inputs[0]])
        if down is not None and _is_low_rank(flow, main, down):
            return Adapter(node=node.id, beside=main.id, down=down.id, up=up.id)
    return None


def _weight_before(flow: Flow, node: Node) -> Node | None:
    """Give the linear node that wrote a tensor, seen through scaling and dropout."""
    current = node
    while current.op in MOVING or is_affine(current) or is_scaling(flow, current):
        sources = flow.before(current)
        if not sources:
            return None
        current = sources[0]
    return current if current.op is Op.LINEAR and _units(current) else None


def _is_low_rank(flow: Flow, main: Node, down: Node) -> bool:
    rank, n_out = _units(down), _units(main)
    source = flow.nodes[main.inputs[0]] if main.inputs else None
    n_in = 0 if source is None else _units(source)
    is_narrow = 0 < rank < min(n_in, n_out)
    return is_narrow and _root(flow, main) == _root(flow, down)


def _root(flow: Flow, node: Node) -> int | None:
    """Give what a linear node reads, before dropout and reshaping."""
    sources = flow.before(node)
    current = sources[0] if sources else None
    while current is not None and current.op in MOVING:
        sources = flow.before(current)
        current = sources[0] if sources else None
    return None if current is None else current.id


def _units(node: Node) -> int:
    return 0 if node.unit_axis is None else node.shape[node.unit_axis]
