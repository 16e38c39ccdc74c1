"""How much deeper a model is than its base, and what lies on which branch."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError, ContradictionError
from fanin.graph.graph import Op
from fanin.prescription.recipes.blocks import Blocks, last_norms
from fanin.prescription.recipes.branch_ends import learned_scales

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.graph.graph import Node
    from fanin.prescription.desk import Desk
    from fanin.prescription.recipes.blocks import Block, Chain


@dataclass(frozen=True, kw_only=True)
class Depth:
    """One parameter on a residual branch.

    deeper: branches of its stream over those of the base's. is_end: it writes the
    branch's output last, so that a factor on the branch can stand in it.
    """

    deeper: float
    is_end: bool

    @property
    def factor(self) -> float:
        """Give what each branch is multiplied by, over the base's: 1/√L.

        >>> Depth(deeper=4.0, is_end=True).factor
        0.5
        """
        return 1.0 / sqrt(self.deeper)


def depths(desk: Desk, depth: int | None) -> dict[str, Depth]:
    """Give all parameters on residual branches, by path.

    Streams that are normalized after each sum are left out: there the scale of a
    branch is set by the normalization.

    Args:
        desk: of the model; the streams of its base are compared in order.
        depth: branches of the base's stream, where no base is at hand.

    Raises:
        ArgumentError: if the depth is below 1.
        ContradictionError: if there is a base and a depth.
    """
    base = desk.base
    if base is not None and depth is not None:
        raise ContradictionError.of([f"base= gives the depth, and so does {depth}."])
    if depth is not None and depth < 1:
        expected = "a whole number of 1 or more"
        raise ArgumentError.of(argument="depth", received=depth, expected=expected)
    blocks = Blocks(desk.graph)
    scales = learned_scales(desk, blocks)
    before = None if base is None else Blocks(base)
    ratios = {
        chain.number: _deeper(blocks, chain, before, depth)
        for chain in blocks.chains.values()
        if not blocks.is_post_norm(chain)
    }
    found: dict[str, Depth] = {}
    for block in blocks.all:
        if block.chain.number in ratios:
            named = scales.get(block.joint.node, ())
            open_scales = [n for n in named if desk.is_open(desk.graph.parameter(n))]
            ends = frozenset(open_scales) or _ends(blocks, block)
            for path in _held(blocks, block):
                deeper = ratios[block.chain.number]
                found.setdefault(path, Depth(deeper=deeper, is_end=path in ends))
    return found


def _deeper(
    blocks: Blocks, chain: Chain, before: Blocks | None, depth: int | None
) -> float:
    """Compare a chain with the one that stands in its place in the base."""
    if depth is not None:
        return chain.n_branches / depth
    if before is None:
        return 1.0
    numbers, others = list(blocks.chains), list(before.chains)
    place = numbers.index(chain.number)
    if place >= len(others):
        return 1.0
    return chain.n_branches / before.chains[others[place]].n_branches


def _ends(blocks: Blocks, block: Block) -> frozenset[str]:
    """Give what writes a block's output last: normalizations, or else weights."""
    graph, flow = blocks.flow.graph, blocks.flow
    last = last_norms(blocks, block) or block.joint.ends
    names = (name for node_id in last for name in _names(flow.nodes[node_id]))
    return frozenset(graph.parameter(name).path for name in names)


def _held(blocks: Blocks, block: Block) -> Iterator[str]:
    """Yield the parameters of a block; what several read from beside is none's."""
    graph, claims = blocks.flow.graph, _claims(blocks)
    for node_id in sorted(block.members.all):
        if node_id in block.members.beside and claims[node_id] > 1:
            continue
        for name in _names(blocks.flow.nodes[node_id]):
            yield graph.parameter(name).path


def _claims(blocks: Blocks) -> Mapping[int, int]:
    """Count the blocks that read each node from beside."""
    found: dict[int, int] = {}
    for block in blocks.all:
        for node_id in block.members.beside:
            found[node_id] = found.get(node_id, 0) + 1
    return found


def _names(node: Node) -> Iterator[str]:
    """Yield the parameters that a node uses; a table is no part of a branch."""
    if node.weight is not None and not node.weight.roles.is_lookup:
        yield node.weight.path
    yield from (name for name in (node.bias, node.scale) if name is not None)
    if node.op is Op.PARAMETER:
        yield node.path
