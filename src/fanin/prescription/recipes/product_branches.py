"""Branches that multiply two functions of a stream which nothing normalizes.

x + D·h with h = φ(G·x)·(U·x) grows with the square of the stream. The end D has the
gradient h whatever its own size, so one step of gradient descent moves L branches by
about L·‖h‖²: dividing D by √L, as elsewhere, leaves that step L times too large, and
what the stream gains by it the next step squares. Fixup bounds it (Zhang, Dauphin & Ma
2019, section 3): the end starts at 0, and h is 1/√L as large. Fixup spreads this over
all weights before the end; here the gate keeps its size, since a smaller one would be
linear, and the plain factor U takes it all. Of two plain factors each takes its root.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.roles import RoleKind
from fanin.graph.roles.walks import is_product
from fanin.prescription.prescription import Part
from fanin.prescription.recipes.blocks import Blocks
from fanin.prescription.recipes.branch_ends import silenced
from fanin.prescription.recipes.branches import stream_order
from fanin.prescription.recipes.drawn import resized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.roles import Role
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.recipes.blocks import Block

SQUARE = 2
"""The power of the stream from which on a branch is one of these."""
FACTORS = frozenset({RoleKind.UP, RoleKind.GATE_UP, RoleKind.GATE})


def product_branches(desk: Desk) -> Mapping[str, Prescription]:
    """Decide the ends and the plain factors of such branches; often there is none."""
    if not any(is_product(desk.flow, node) for node in desk.graph.nodes):
        return {}
    blocks = Blocks(desk.graph)
    written: dict[str, Prescription] = {}
    for block in blocks.all:
        order = stream_order(blocks.flow, block.joint, block.members)
        ends = silenced(desk, blocks, block) if order >= SQUARE else {}
        if ends:
            written |= ends | _factors(desk, block, order)
    return written


def _factors(desk: Desk, block: Block, order: int) -> dict[str, Prescription]:
    """Scale the plain factors of the products; all factors where none is plain."""
    found: dict[str, Role] = {}
    for node_id in sorted(block.homogeneity.weights - set(block.joint.ends)):
        node = desk.flow.nodes[node_id]
        path = (
            "" if node.weight is None else desk.graph.parameter(node.weight.path).path
        )
        if path and desk.roles[path].kind in FACTORS:
            found[path] = desk.roles[path]
    plain = {path for path, role in found.items() if role.kind is not RoleKind.GATE}
    n_scaled = 1 if plain else max(min(len(found), order), 1)
    n_branches = block.chain.n_branches
    factor = float(n_branches ** (-0.5 / n_scaled))
    reason = (
        f"Times {n_branches}^(−1/{2 * n_scaled}): it is multiplied by another function "
        f"of its stream, in {n_branches} branches (Zhang et al. 2019, section 3)."
    )
    return {
        path: _scaled(desk.prescribe(parameter), found[path], factor, reason)
        for path in plain or found
        if desk.is_open(parameter := desk.graph.parameter(path))
    }


def _scaled(
    usual: Prescription, role: Role, factor: float, reason: str
) -> Prescription:
    """Scale a weight, or the plain slice of a fused one."""
    slices = [piece for piece in role.slices if piece.kind is RoleKind.UP]
    if not slices:
        return resized(usual, factor, reason)
    parts = tuple(Part.of(piece, factor=factor) for piece in slices)
    share = sum(piece.size / piece.period for piece in slices)
    whole = sqrt(1.0 - share + share * factor**2)
    return replace(
        usual,
        parts=(*usual.parts, *parts),
        target=None if usual.target is None else usual.target * whole,
        reason=f"{usual.reason} {reason}",
    )
