"""Plain chains: activations that stand alone between the weights that write and read.

A place is an activation whose input one linear operation writes, for it alone, and
whose output nothing reads but linear operations, moved or pooled or not. No more than
that is needed to draw the weights around it together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from fanin.graph.flow import SHAPING, is_affine
from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind
from fanin.graph.units import UnitSlice, unit_groups
from fanin.prescription.choosing.depth import plain_runs
from fanin.theory.given import padding_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node
    from fanin.graph.roles import Role
    from fanin.graph.units import UnitGroup

PLAIN: Final = frozenset({RoleKind.HIDDEN, RoleKind.INPUT_LAYER, RoleKind.HEAD})
BIASES: Final = frozenset({RoleKind.BIAS, RoleKind.HEAD_BIAS})
LINEAR_POOLING: Final = frozenset({"mean", "sum"})


@dataclass(frozen=True, kw_only=True)
class Place:
    """An activation between weights.

    node: the activation. writer: the linear operation before it; readers: those behind.
    n_layers: activations on the longest plain way through it, a count.
    """

    node: Node
    writer: Node
    readers: tuple[Node, ...]
    n_layers: int


class Chains:
    """The places of a graph, and what their surroundings allow.

    kept: paths of parameters that keep their values.
    """

    def __init__(
        self, flow: Flow, roles: Mapping[str, Role], kept: frozenset[str]
    ) -> None:
        self.flow = flow
        self.graph = flow.graph
        self.roles = roles
        self.kept = kept

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Give the places, in order of execution."""
        runs = plain_runs(self.flow)
        found = (self._place(node, runs) for node in self.graph.nodes)
        return tuple(place for place in found if place is not None)

    def can_mirror(self, place: Place) -> bool:
        """Say whether the units at a place can stand in pairs z and −z.

        Every writer and reader of the units must be known, one after the other; their
        number even; nothing may act on single units in between but the activation.
        """
        group = self._groups.get(place.node.id)
        if group is None or group.size % 2 or not (group.is_closed and group.is_hidden):
            return False
        bias = self._bias(place.writer)
        if bias is not None and not self._is_free(bias):
            return False
        known = {self._weight(place.writer), bias or ""}
        readers = {self._weight(reader) for reader in place.readers}
        is_known = (
            not group.shared
            and {s.path for s in group.incoming} <= known
            and {s.path for s in group.outgoing} == readers
            and all(self._is_whole(s, group.size) for s in group.slices)
        )
        nodes = (self.flow.nodes[i] for i in group.nodes)
        is_moved_alone = all(n.id == place.node.id or _keeps_odd(n) for n in nodes)
        linears = (place.writer, *place.readers)
        return is_known and is_moved_alone and all(_is_one_matrix(n) for n in linears)

    def can_centre(self, place: Place) -> bool:
        """Say whether every reader has a bias of its own, and no zeros at a border."""
        return all(
            (bias := self._bias(reader)) is not None
            and self._is_free(bias)
            and self.roles[bias].kind in BIASES
            and self.roles[bias].n_uses == 1
            and padding_share(reader) == 0.0
            for reader in place.readers
        )

    def _place(self, node: Node, runs: Mapping[int, int]) -> Place | None:
        if node.op is not Op.ELEMENTWISE or node.function is None or is_affine(node):
            return None
        writer = self.flow.nodes[node.inputs[0]]
        readers = self._readers(node)
        if readers is None or not self._is_plain(writer):
            return None
        is_alone = len(self.flow.after(writer.id)) == 1
        if not is_alone or not all(self._is_plain(reader) for reader in readers):
            return None
        if {writer.id, node.id} & set(self.graph.outputs):
            return None
        n_layers = max(runs[node.id] - 1, 1)
        return Place(node=node, writer=writer, readers=readers, n_layers=n_layers)

    def _readers(self, node: Node) -> tuple[Node, ...] | None:
        """Give the linear nodes that read an activation; None if others do too."""
        found: dict[int, Node] = {}
        waiting = list(self.flow.after(node.id))
        while waiting:
            current = waiting.pop(0)
            if current.op in SHAPING and current.id not in self.graph.outputs:
                waiting += self.flow.after(current.id)
            elif current.op is Op.LINEAR:
                found[current.id] = current
            else:
                return None
        return tuple(found.values()) or None

    def _is_plain(self, node: Node) -> bool:
        """Say whether a node has a weight that is drawn, and used here alone."""
        if node.op is not Op.LINEAR or node.weight is None or len(node.inputs) != 1:
            return False
        path = self._weight(node)
        role = self.roles[path]
        return (
            role.kind in PLAIN
            and role.n_uses == 1
            and role.n_summed == 1
            and not role.is_scale_free
            and not node.weight.roles.is_lookup
            and "computed_from" not in node.details
            and self._is_free(path)
        )

    def _is_free(self, path: str) -> bool:
        return self.graph.parameter(path).is_trainable and path not in self.kept

    def _weight(self, node: Node) -> str:
        return (
            "" if node.weight is None else self.graph.parameter(node.weight.path).path
        )

    def _bias(self, node: Node) -> str | None:
        return None if node.bias is None else self.graph.parameter(node.bias).path

    def _is_whole(self, part: UnitSlice, size: int) -> bool:
        """Say whether halves of the axis are halves of the units."""
        length = self.graph.parameter(part.path).shape[part.axis]
        is_in_order = part.repeat == 1 or part.unit_step == part.repeat
        return part.start == 0 and is_in_order and size * part.repeat == length

    @cached_property
    def _groups(self) -> Mapping[int, UnitGroup]:
        """Give the unit group of each node."""
        return {i: group for group in unit_groups(self.graph) for i in group.nodes}


def _keeps_odd(node: Node) -> bool:
    """Say whether a node hands an odd function of z on as one."""
    if node.op is Op.REDUCE:
        return node.details.get("kind") in LINEAR_POOLING
    return node.op in {Op.LINEAR, Op.REARRANGE, Op.NOISE}


def _is_one_matrix(node: Node) -> bool:
    if node.weight is None:
        return False
    roles = node.weight.roles
    return roles.groups == 1 and len(roles.inputs) == len(roles.outputs) == 1
