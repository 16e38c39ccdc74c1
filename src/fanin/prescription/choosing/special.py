"""Weights whose scale depends on more than what they read: the walk asks here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.graph.roles import RoleKind
from fanin.graph.roles.residual import joints
from fanin.prescription.choosing.attention import matched, matched_sizes
from fanin.prescription.choosing.choices import (
    embedding_choice,
    head_choice,
    recurrent_choice,
    scaled,
)
from fanin.prescription.choosing.embedded import Rows, rooms_of
from fanin.prescription.choosing.recurrent import forgetting, n_gates
from fanin.prescription.choosing.tied_logits import output_factor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node
    from fanin.graph.roles import Role
    from fanin.prescription.choosing.choices import Choice
    from fanin.theory.moments import Moments


class Special:
    """What is found once about tables, streams, attentions and recurrent cells.

    rows: sizes of tables and tokens, by path. streams: root mean square of the stream
    behind each sum where a branch comes back, by the sum's id. forgetting: biases that
    hold forget gates open, by path.
    """

    def __init__(self, flow: Flow, roles: Mapping[str, Role]) -> None:
        self.flow = flow
        self.roles = roles
        rooms = rooms_of(flow, roles)
        sums = [joint for joint in joints(flow) if joint.shortcut is not None]
        self.rows = rooms.rows
        self.streams = {j.node: rooms.streams.get(j.node, 1.0) for j in sums}
        self._of_end = {end: self.streams[j.node] for j in sums for end in j.ends}
        self.forgetting = forgetting(flow.graph, roles)
        self._matched = matched_sizes(flow)

    def size_of(self, path: str) -> float:
        """Give the root mean square of a parameter that is a value of its own."""
        return self.rows[path].std if path in self.rows else 1.0

    def first(self, node: Node, role: Role, x: Moments) -> Choice | None:
        """Decide what does not depend on what the weight reads alone, or nothing."""
        weight = node.weight
        if weight is not None and weight.roles.is_lookup:
            path = self.flow.graph.parameter(weight.path).path
            alone = Rows(std=1.0, reason="Rows are looked up, of rms 1.")
            return embedding_choice(self.rows.get(path, alone))
        n_blocks = n_gates(self.flow.graph, node, role)
        if role.kind is RoleKind.RECURRENT:
            choice = recurrent_choice(node)
            return replace(choice, n_blocks=n_blocks, is_calibrated=False)
        if role.kind is RoleKind.INPUT_TO_HIDDEN:
            reason = (
                f"Takes the input of each step in (rms {x.rms:.4g}), each gate for "
                "itself: its pre-activation gets variance 1 from it."
            )
            choice = scaled(node, "lecun", 1.0 / x.rms, x, reason, None)
            return replace(choice, n_blocks=n_blocks)
        return None

    def head(self, node: Node, x: Moments, choice: Choice) -> Choice:
        """Scale the head for the size of the model's output."""
        return head_choice(node, x, choice, factor=output_factor(self.flow, node))

    def last(self, node: Node, role: Role, choice: Choice) -> Choice:
        """Fit a choice to its stream, and queries and keys to one another."""
        size = self._of_end.get(node.id, 1.0)
        if size != 1.0 and not role.is_scale_free:
            choice = replace(
                choice,
                std=choice.std * size,
                gain=choice.gain * size,
                target=choice.target * size,
                reason=f"{choice.reason} Its stream begins with rms {size:.4g}.",
            )
        if node.id in self._matched:
            return matched(choice, role, self._matched[node.id])
        return choice
