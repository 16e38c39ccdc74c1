"""The ends of residual branches: learned scales, normalizations, last weights.

Three ways to start a branch at 0, the first that the model offers is taken: a learned
scale on the branch (SkipInit, ReZero), the gain of a normalization behind the last
weight (zero-gamma), or the last weight itself (Fixup). A weight in front of a
normalization is never set to 0: its gradient would be divided by √eps.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind
from fanin.graph.roles.walks import MOVING, forward
from fanin.graph.unit_spaces import parameter_path
from fanin.prescription.recipes.blocks import Block, Blocks, last_norms
from fanin.prescription.recipes.drawn import resized, set_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Node
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

Written = dict[str, "Prescription"]


def learned_scales(desk: Desk, blocks: Blocks) -> Mapping[int, tuple[str, ...]]:
    """Give the parameters that scale whole branches, by the id of the sum."""
    graph = desk.graph
    found: dict[int, tuple[str, ...]] = {}
    sums = {block.joint.node for block in blocks.all}

    def passing(node: Node) -> bool:
        is_scaling = node.op in {Op.MULTIPLY, Op.ELEMENTWISE}
        return node.id not in sums and (is_scaling or node.op in MOVING)

    for node in graph.nodes:
        named = node.scale if node.op is Op.MULTIPLY else None
        path = named or (
            parameter_path(graph, node) if node.op is Op.PARAMETER else None
        )
        name = None if path is None else graph.parameter(path).path
        if name is None or desk.roles[name].kind is not RoleKind.LAYER_SCALE:
            continue
        for _, reader in forward(desk.flow, node, passing):
            if reader.id in sums:
                known = found.get(reader.id, ())
                found[reader.id] = tuple(dict.fromkeys((*known, name)))
    return found


def gains_at_end(desk: Desk, blocks: Blocks, block: Block) -> tuple[str, ...]:
    """Give the gains of normalizations between the last weights and the sum: paths."""
    graph = desk.graph
    nodes = (desk.flow.nodes[i] for i in last_norms(blocks, block))
    named = (node.scale for node in nodes)
    return tuple(graph.parameter(path).path for path in named if path is not None)


def silenced(desk: Desk, blocks: Blocks, block: Block) -> Written:
    """Let the branches of a block start at 0; nothing where none of its ends can.

    The last normalization's gain, or the last weight where none follows it.
    """
    norms = last_norms(blocks, block)
    if norms:
        return _silent_gains(desk, [desk.flow.nodes[i] for i in norms])
    written: Written = {}
    for node_id in block.joint.ends:
        node = desk.flow.nodes[node_id]
        if node.weight is None:
            continue
        length = node.details.get("length")  # of g·v/‖v‖: v = 0 has no direction
        sized = length if isinstance(length, str) else node.weight.path
        for path in (sized, node.bias):
            parameter = None if path is None else desk.graph.parameter(path)
            if parameter is not None and desk.is_open(parameter):
                reason = "End of a residual branch: 0, so that the block starts as the "
                reason += "identity; it learns first, what is before it from then on."
                written[parameter.path] = set_to(desk, parameter, 0.0, reason)
    return written


def _silent_gains(desk: Desk, norms: list[Node]) -> Written:
    written: Written = {}
    for node in norms:
        if node.scale is None:
            continue
        offset, factor = (
            node.details.get("gain_offset", 0.0),
            node.details.get("gain_factor", 1.0),
        )
        zero = 0.0
        if isinstance(offset, float | int) and isinstance(factor, float | int):
            zero = -offset / factor if factor else 0.0
        wanted = {node.scale: zero} | ({node.bias: 0.0} if node.bias else {})
        for path, value in wanted.items():
            parameter = desk.graph.parameter(path)
            if desk.is_open(parameter):
                reason = "Last normalization of a residual branch: gain 0, so that the "
                reason += "block starts as the identity."
                written[parameter.path] = set_to(desk, parameter, value, reason)
    return written


def at_size(
    desk: Desk, blocks: Blocks, block: Block, size: float, reason: str
) -> Written:
    """Let the last weights of a block write outputs of root mean square ``size``.

    Of several branches in one block each gets that size; weights before a
    normalization are left alone. Behind attention it is the size that the output has
    where a row attends to one key.
    """
    written: Written = {}
    if last_norms(blocks, block):
        return written
    for node_id in block.joint.ends:
        node = desk.flow.nodes[node_id]
        if node.weight is None or node.weight.roles.is_lookup:
            continue
        parameter = desk.graph.parameter(node.weight.path)
        choice = desk.chooser.choices.get(parameter.path)
        if desk.is_open(parameter) and choice is not None and choice.target:
            usual, factor = desk.prescribe(parameter), size / choice.target
            written[parameter.path] = resized(usual, factor, reason)
    return written


def all_at_unit(desk: Desk, blocks: Blocks) -> Written:
    """Undo the division by √L: what sets the branches' size stands behind them."""
    written: Written = {}
    for block in blocks.all:
        reason = "Not divided by √L: the branch starts at the size of its scale."
        written |= at_size(desk, blocks, block, 1.0, reason)
    return written


def gated(desk: Desk, blocks: Blocks, value: float) -> Written:
    """Set learned scales on branches to a number; end branches without one at 0.

    With a number other than 0, a branch without a learned scale has its last weight
    divided instead: its output gets that root mean square.
    """
    written = all_at_unit(desk, blocks)
    scales = learned_scales(desk, blocks)
    for block in blocks.all:
        for path in scales.get(block.joint.node, ()):
            parameter = desk.graph.parameter(path)
            if desk.is_open(parameter):
                reason = f"Learned scale on a residual branch: {value:.4g}."
                written[path] = set_to(desk, parameter, value, reason)
        if block.joint.node not in scales:
            text = f"No learned scale on this branch: its end has rms {value:.4g}."
            written |= (
                silenced(desk, blocks, block)
                if value == 0.0
                else at_size(desk, blocks, block, value, text)
            )
    return written


def without_scale(desk: Desk, blocks: Blocks) -> int:
    """Count the blocks that have no learned scale."""
    scales = learned_scales(desk, blocks)
    return sum(block.joint.node not in scales for block in blocks.all)


def inverse_root(count: float) -> float:
    """1/√count.

    >>> inverse_root(4)
    0.5
    """
    return 1.0 / sqrt(count)
