"""Refuses a pass in which an output has no size that a factor could mend."""

from __future__ import annotations

from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.errors import SignalError
from fanin.graph import Op
from fanin.graph.zeros import zero_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.frameworks.calibration import Seen
    from fanin.graph import Graph, Node

FEW_UNITS: Final = 16
"""So many units of an activation may all be silent by chance of one draw."""
VIEWS: Final = frozenset({Op.REARRANGE, Op.NOISE, Op.REDUCE})
"""What is zero only where what it reads is."""


def require_signal(seen: Seen, values: Mapping[str, np.ndarray]) -> None:
    """Refuse outputs that are not finite, and such as are always 0 for no good reason.

    An output may be 0 because a weight is 0 on purpose (the end of a residual branch),
    or because the few units that it reads are silent on this batch.

    Args:
        seen: of the first pass.
        values: that it was run with, by path.

    Raises:
        SignalError: it names the first weight whose output is not finite, or all whose
            output is always 0.
    """
    for use in seen.uses:
        if not isfinite(use.mean_square):
            raise SignalError.of([use.path], _said("not finite", seen.graph, use.path))
    live = {use.path for use in seen.uses if not use.is_zero}
    still = dict.fromkeys(use.path for use in seen.uses if use.path not in live)
    dead = [path for path in still if not _is_excused(path, seen.graph, values)]
    if dead:
        raise SignalError.of(dead, _said("always 0", seen.graph, dead[0]))


def _said(what: str, graph: Graph, path: str) -> str:
    """Say what is read too, where the fault may lie."""
    nodes = _nodes(graph, path)
    source = _source(graph, nodes[0]) if nodes else None
    if source is None:
        return what
    name = "the batch" if source.op is Op.INPUT else repr(source.path or "the model")
    kind = "" if source.op is Op.INPUT else f"the {source.op} at "
    return f"{what} (it reads {kind}{name})"


def _is_excused(path: str, graph: Graph, values: Mapping[str, np.ndarray]) -> bool:
    @cache
    def is_zero(name: str) -> bool:
        held = values.get(graph.parameter(name).path)
        return held is not None and not np.any(held)

    nodes = _nodes(graph, path)
    zeros = zero_nodes(graph, is_zero)
    return (
        not nodes
        or is_zero(path)
        or all(
            zeros.issuperset(node.inputs) or _reads_few(graph, node) for node in nodes
        )
    )


def _nodes(graph: Graph, path: str) -> list[Node]:
    """Give the linear nodes whose size a parameter sets."""
    return [
        node
        for node in graph.linears
        if node.weight is not None
        and path in {graph.parameter(node.weight.path).path, node.details.get("length")}
    ]


def _source(graph: Graph, node: Node) -> Node | None:
    """Give what a node reads, seen through what only moves or gathers numbers."""
    source = graph.node(node.inputs[0]) if node.inputs else None
    while source is not None and source.op in VIEWS and source.inputs:
        source = graph.node(source.inputs[0])
    return source


def _reads_few(graph: Graph, node: Node) -> bool:
    source = _source(graph, node)
    if source is None or source.op is Op.INPUT or source.unit_axis is None:
        return False
    return source.shape[source.unit_axis] < FEW_UNITS
