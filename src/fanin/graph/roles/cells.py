"""Recurrent cells: which weights take the input in, and which rows are which gate.

Read off the last step, where the state is not constant any more. Each part of the sum
that a recurrent weight feeds goes through one function and then into products:

- LSTM (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000): c' = f·c +
  i·g, h = o·tanh(c'). f multiplies a value that this step has not computed, o a
  function of the new sum c', i the function g of another part.
- GRU (Cho et al. 2014): h' = z·h + (1 − z)·n, n = tanh(a + r·b). z goes into two
  products, or into one with a difference from the old state; r multiplies a part as it
  is, or the old state on its way into another recurrent weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.flow import is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.kinds import RoleKind, RoleSlice
from fanin.graph.roles.residual import ends
from fanin.graph.roles.rows import rows_of
from fanin.graph.roles.walks import MOVING, backward, forward, is_product, is_slice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node
    from fanin.graph.roles.setting import Setting

_JOINING = MOVING | {Op.ADD, Op.NORMALIZE}


def input_weights(
    flow: Flow, uses: Mapping[str, tuple[Node, ...]]
) -> Mapping[int, str]:
    """Give the linear nodes whose output is added to a recurrent weight's.

    By their ids: the path of the recurrent weight.
    """
    path_of = {node.id: path for path, nodes in uses.items() for node in nodes}
    found: dict[int, str] = {}
    sums = (n for n in flow.graph.nodes if path_of and n.op is Op.ADD)
    for node in sums:
        writers = {i for source in flow.before(node) for i in _written_by(flow, source)}
        recurrent = sorted(writers & path_of.keys())
        if recurrent:
            others = writers - path_of.keys()
            found.update(dict.fromkeys(others, path_of[recurrent[0]]))
    return found


def _written_by(flow: Flow, node: Node) -> set[int]:
    """Give the linear nodes behind a tensor that was moved only, or gated by a part."""
    if node.op is Op.MULTIPLY:
        raw = [n for n in flow.before(node) if n.op in MOVING]
        return {i for source in raw for i in ends(flow, source.id)}
    ways = backward(flow, node, lambda n: n.op in MOVING | {Op.NORMALIZE})
    return {way[-1].id for way in ways if way[-1].op is Op.LINEAR}


def last_steps(
    flow: Flow, uses: Mapping[str, tuple[Node, ...]]
) -> Mapping[str, frozenset[int]]:
    """Give the nodes that depend on the last step of each recurrent weight: ids.

    Weights that read the same state in that step are one cell and share it.
    """
    cells: dict[tuple[int, ...], set[int]] = {}
    for nodes in uses.values():
        cells.setdefault(nodes[-1].inputs, set()).add(nodes[-1].id)
    steps = {read: _after(flow, ids) for read, ids in cells.items()}
    return {path: steps[nodes[-1].inputs] for path, nodes in uses.items()}


def _after(flow: Flow, ids: set[int]) -> frozenset[int]:
    found = set(ids)
    for node in flow.graph.nodes:
        if found.intersection(node.inputs):
            found.add(node.id)
    return frozenset(found)


def gates_of(setting: Setting, node: Node) -> tuple[RoleSlice, ...]:
    """Give the gates in the rows of a weight of a recurrent cell; () for any other."""
    if node.weight is None:
        return ()
    path = setting.flow.graph.parameter(node.weight.path).path
    users = [n for n in setting.flow.graph.linears if n.weight is not None]
    last = [n for n in users if n.weight and n.weight.path == node.weight.path][-1]
    cell = setting.taking_in.get(last.id, path)
    step = setting.steps.get(cell)
    return () if step is None else gates(setting.flow, last, step)


def gates_behind(
    setting: Setting, readers: tuple[Node, ...], size: int
) -> tuple[RoleSlice, ...]:
    """Give the gates of the recurrent cell whose sum takes up a bias of that size."""
    flow = setting.flow
    sources = flow.before(readers[0]) if readers else ()
    ways = [
        way
        for source in sources
        for way in backward(flow, source, lambda n: n.op in MOVING | {Op.ADD})
    ]
    found = (gates_of(setting, way[-1]) for way in ways if way[-1].op is Op.LINEAR)
    return next((some for some in found if some and some[0].period == size), ())


def gates(flow: Flow, linear: Node, step: frozenset[int]) -> tuple[RoleSlice, ...]:
    """Give the gates that the rows of a cell's weight belong to, in order.

    Args:
        flow: of the Graph.
        linear: last node of a recurrent weight, or of one that takes the input in.
        step: what ``last_steps`` gives for its cell.
    """
    kinds: dict[tuple[int, int, int], RoleKind] = {}
    cuts = sorted(_cuts(flow, linear), key=lambda node: node.id)
    if not cuts:
        return _whole(flow, linear, step)
    for cut in cuts:
        rows = rows_of(flow, linear, cut)
        kind = _gate_of(flow, cut, step)
        if rows is not None and kind is not None:
            kinds[rows] = kind
    return tuple(
        RoleSlice(kind=kind, start=start, size=size, period=period)
        for (start, size, period), kind in sorted(kinds.items())
    )


def _whole(flow: Flow, linear: Node, step: frozenset[int]) -> tuple[RoleSlice, ...]:
    """Give the gate that a weight writes alone, as cells with a weight a gate have."""
    kind = _gate_of(flow, linear, step)
    if kind in {None, RoleKind.CANDIDATE} or linear.unit_axis is None:
        return ()
    n_units = linear.shape[linear.unit_axis]
    gate = kind or RoleKind.CANDIDATE
    return (RoleSlice(kind=gate, start=0, size=n_units, period=n_units),)


def _cuts(flow: Flow, linear: Node) -> Iterable[Node]:
    """Yield the slices along the units, behind sums and slices along time."""

    def passing(node: Node) -> bool:
        if is_slice(node) and rows_of(flow, linear, node) is not None:
            return False
        return node.op in _JOINING

    for _, reader in forward(flow, linear, passing):
        if is_slice(reader):
            yield reader


def _gate_of(flow: Flow, cut: Node, step: frozenset[int]) -> RoleKind | None:
    reached = [n for _, n in forward(flow, cut, lambda n: n.op in _JOINING)]
    functions = [n for n in reached if n.op is Op.ELEMENTWISE]
    if not functions:
        is_gated = any(is_product(flow, n) for n in reached)
        return RoleKind.CANDIDATE if is_gated else None
    if not any(_is_share(function) for function in functions):
        return RoleKind.CANDIDATE
    pairs = [
        (reader, partner)
        for function in functions
        for last, reader in forward(flow, function, is_affine)
        if is_product(flow, reader)
        for partner in flow.before(reader)
        if partner.id != last.id
    ]
    return _by_partners(flow, pairs, step) if pairs else None


def _by_partners(
    flow: Flow, pairs: list[tuple[Node, Node]], step: frozenset[int]
) -> RoleKind:
    product, partner = pairs[0]
    writers = {reader.op for _, reader in forward(flow, product, _is_moving)}
    if _is_plain_part(flow, partner) and partner.id in step:
        return RoleKind.RESET_GATE
    if Op.LINEAR in writers and partner.id not in step and Op.ADD not in writers:
        return RoleKind.RESET_GATE
    if len(pairs) > 1 or _is_difference(flow, partner, step):
        return RoleKind.UPDATE_GATE
    if partner.id not in step:
        return RoleKind.FORGET_GATE
    is_of_sum = partner.op is Op.ADD or any(
        source.op is Op.ADD and _is_new_state(flow, source)
        for source in flow.before(partner)
    )
    return RoleKind.OUTPUT_GATE if is_of_sum else RoleKind.INPUT_GATE


def _is_plain_part(flow: Flow, node: Node) -> bool:
    """Say whether a value is a part of a weight's output, with a bias at most."""
    is_shifted = node.op is Op.ADD and len(flow.before(node)) == 1
    return is_shifted or node.op in MOVING | {Op.LINEAR}


def _is_moving(node: Node) -> bool:
    return node.op in MOVING


def _is_difference(flow: Flow, node: Node, step: frozenset[int]) -> bool:
    """Say whether a step adds something to a value from before it."""
    is_new = node.op is Op.ADD and node.id in step
    return is_new and any(n.id not in step for n in flow.before(node))


def _is_new_state(flow: Flow, node: Node) -> bool:
    """Say whether a sum has products for operands, as c' = f·c + i·g has."""
    return any(is_product(flow, source) for source in flow.before(node))


def _is_share(node: Node) -> bool:
    """Say whether a function goes from 0 to 1, as a sigmoid does."""
    if node.function is None:
        return False
    with np.errstate(all="ignore"):
        far = np.asarray(node.function(np.array([-1e3, 1e3])), dtype=np.float64)
    return bool(np.allclose(np.sort(far), [0.0, 1.0], atol=1e-6))
