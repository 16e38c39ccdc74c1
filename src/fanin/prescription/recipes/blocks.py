"""Residual networks from above: chains of streams, their branches, layers and sides.

A chain is the streams that follow each other from a model's input to its output (the
stages of a vision model are one chain of several streams). It is a decoder's if a
branch of it attends to another stream, and an encoder's if a decoder attends to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from fanin.graph.graph import Op
from fanin.graph.roles.setting import setting_of
from fanin.prescription.recipes.branches import (
    Homogeneity,
    Members,
    homogeneity,
    is_normalized_after,
    members_of,
)
from fanin.prescription.recipes.shortcuts import shortcut_factor, shortcut_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.graph.graph import Graph
    from fanin.graph.roles.residual import Joint
    from fanin.graph.roles.setting import Setting

Side = Literal["alone", "encoder", "decoder"]


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Streams that follow each other.

    side: what it is to other chains. n_branches: residual branches in all. n_layers:
    self-attentions in all, or sums where there is none. width: units of the first
    stream. n_read: branches of the decoder that reads it, of an encoder; else 0.
    """

    number: int
    side: Side
    n_branches: int
    n_layers: int
    width: int
    n_read: int = 0


@dataclass(frozen=True, kw_only=True)
class Block:
    """The branches that one sum adds to its stream.

    first: the number of its first branch in the chain, from 1; layer: of its layer.
    """

    joint: Joint
    chain: Chain
    first: int
    layer: int
    members: Members
    homogeneity: Homogeneity

    @property
    def n_branches(self) -> int:
        """Count the branches of this sum."""
        return len(self.joint.branches)


class Blocks:
    """All residual blocks of a Graph, in order of execution.

    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.dense(sketch.input((4, 2)), 3, path="stem")
    >>> for i in range(3):
    ...     x = sketch.combine(Op.ADD, x, sketch.dense(x, 3, path=f"{i}"))
    >>> blocks = Blocks(sketch.graph(x))
    >>> [(b.first, b.layer, b.chain.n_layers) for b in blocks.all]
    [(1, 1, 3), (2, 2, 3), (3, 3, 3)]
    >>> blocks.by_path["1.weight"].first
    2
    """

    def __init__(self, graph: Graph) -> None:
        self.setting: Setting = setting_of(graph)
        self.flow = self.setting.flow
        self._members = self._without_scans(
            {
                joint.node: members_of(self.setting, joint)
                for joint in self.setting.joints.values()
                if joint.shortcut is not None
                and joint.node not in self.setting.attention.logits
            }
        )
        self._chain_of = _chains_of(self.setting, self._members)
        self.chains = self._chains()
        self.all: tuple[Block, ...] = tuple(self._numbered())

    def _without_scans(self, found: dict[int, Members]) -> dict[int, Members]:
        """Leave out sums within a branch that a parameter weighs a way around for.

        So a scan adds D·u to what it gives (Gu & Dao 2023): no stream of its own.
        """
        inner = {i for members in found.values() for i in members.own}
        return {
            i: members
            for i, members in found.items()
            if i not in inner or not self._is_weighed(i)
        }

    def _is_weighed(self, joint: int) -> bool:
        return bool(shortcut_parameters(self.flow, self.setting.joints[joint]))

    @cached_property
    def by_path(self) -> Mapping[str, Block]:
        """Give the innermost block of each weight that lies on a branch, by its path.

        A weight that several branches read from beside is on none.
        """
        graph = self.flow.graph
        n_claims: dict[int, int] = {}
        for block in self.all:
            for node_id in block.members.beside:
                n_claims[node_id] = n_claims.get(node_id, 0) + 1
        found: dict[str, Block] = {}
        for block in self.all:
            shared = {i for i in block.members.beside if n_claims[i] > 1}
            for node_id in sorted(block.members.all - shared):
                node = self.flow.nodes[node_id]
                if node.weight is not None and not node.weight.roles.is_lookup:
                    found.setdefault(graph.parameter(node.weight.path).path, block)
        return found

    def shortcut_factors(self, chain: Chain) -> tuple[float | None, ...]:
        """Give the constant on each shortcut of a chain; None where none is."""
        mine = (block for block in self.all if block.chain is chain)
        return tuple(shortcut_factor(self.flow, block.joint) for block in mine)

    def is_post_norm(self, chain: Chain) -> bool:
        """Say whether the stream is normalized after all sums of a chain."""
        mine = [block for block in self.all if block.chain is chain]
        return bool(mine) and all(
            is_normalized_after(self.flow, block.joint) for block in mine
        )

    def _chains(self) -> Mapping[int, Chain]:
        """Describe each chain, by its number."""
        sides, reads = self._sides()
        n_branches: dict[int, int] = {}
        for joint in self._joints():
            number = self._chain_of[joint.node]
            n_branches[number] = n_branches.get(number, 0) + len(joint.branches)
        return {
            number: Chain(
                number=number,
                side=sides.get(number, "alone"),
                n_branches=n,
                n_layers=self._n_layers(number),
                width=self._width(number),
                n_read=n_branches.get(reads.get(number, -1), 0),
            )
            for number, n in n_branches.items()
        }

    def _sides(self) -> tuple[dict[int, Side], dict[int, int]]:
        """Give the sides of chains, and the decoder that reads each encoder."""
        sides: dict[int, Side] = {}
        reads: dict[int, int] = {}
        for joint in self._joints():
            elsewhere = self._members[joint.node].elsewhere
            number = self._chain_of[joint.node]
            if not elsewhere or sides.get(number) == "decoder":
                continue
            sides[number] = "decoder"
            behind = self.flow.ancestors(elsewhere[0])
            others = {n for i, n in self._chain_of.items() if i in behind}
            for other in others - {number}:
                sides.setdefault(other, "encoder")
                reads.setdefault(other, number)
        return sides, reads

    def _joints(self) -> Iterator[Joint]:
        return (self.setting.joints[i] for i in sorted(self._members))

    def _of(self, number: int) -> list[Joint]:
        return [j for j in self._joints() if self._chain_of[j.node] == number]

    def _n_layers(self, number: int) -> int:
        joints = self._of(number)
        n_attending = sum(self._is_self_attention(joint) for joint in joints)
        return n_attending or len(joints)

    def _is_self_attention(self, joint: Joint) -> bool:
        members = self._members[joint.node]
        return members.has_attention and not members.elsewhere

    def _width(self, number: int) -> int:
        node = self.flow.nodes[self._of(number)[0].node]
        return 0 if node.unit_axis is None else node.shape[node.unit_axis]

    def _numbered(self) -> Iterator[Block]:
        """Yield the blocks, with the number of each in its chain."""
        n_before: dict[int, int] = {}
        n_begun: dict[int, int] = {}
        for joint in self._joints():
            chain = self.chains[self._chain_of[joint.node]]
            members = self._members[joint.node]
            is_attending = any(map(self._is_self_attention, self._of(chain.number)))
            begins = self._is_self_attention(joint) or not is_attending
            n_begun[chain.number] = n_begun.get(chain.number, 0) + begins
            yield Block(
                joint=joint,
                chain=chain,
                first=n_before.get(chain.number, 0) + 1,
                layer=max(n_begun[chain.number], 1),
                members=members,
                homogeneity=homogeneity(self.flow, joint, members),
            )
            n_before[chain.number] = n_before.get(chain.number, 0) + len(joint.branches)


def _chains_of(setting: Setting, members: Mapping[int, Members]) -> dict[int, int]:
    """Number the chain of each sum: that of the stream which its first fork follows.

    A stream within a branch of another is a chain of its own.
    """
    first: dict[int, Joint] = {}
    for node_id in sorted(members):
        joint = setting.joints[node_id]
        first.setdefault(joint.stream, joint)
    root: dict[int, int] = {}
    for stream, joint in first.items():
        root[stream] = stream
        if not any(joint.node in held.own for held in members.values()):
            fork = joint.node if joint.fork is None else joint.fork
            behind = setting.flow.ancestors(fork)
            before = [
                setting.joints[i].stream
                for i in sorted(members)
                if i in behind and setting.joints[i].stream in root
            ]
            root[stream] = root[before[-1]] if before else stream
    return {i: root[setting.joints[i].stream] for i in members}


def mixes_positions(block: Block) -> bool:
    """Say whether a block attends, to its own stream or another one."""
    return block.members.has_attention


def last_norms(blocks: Blocks, block: Block) -> tuple[int, ...]:
    """Give the normalizations that stand between a block's last weights and its sum."""
    found, waiting = [], list(block.joint.branches)
    seen: set[int] = set()
    while waiting:
        current = blocks.flow.nodes[waiting.pop()]
        if current.id in seen or current.op is Op.LINEAR:
            continue
        seen.add(current.id)
        if current.op is Op.NORMALIZE:
            found.append(current.id)
        elif current.id in block.members.own and current.op not in {
            Op.SOFTMAX,
            Op.CONTRACT,
        }:
            waiting += current.inputs
    return tuple(sorted(found))
