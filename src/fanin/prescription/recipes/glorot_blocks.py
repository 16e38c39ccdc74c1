"""Transformers' blocks drawn by Glorot, with one gain for what is mixed and written.

DeepNorm, Sub-LN and T-Fixup agree in this: queries and keys only set the shares, which
a softmax bounds, so they keep gain 1; values, outputs and the feed-forward weights set
the size of the branch, and get the gain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.roles import RoleKind
from fanin.prescription.recipes.drawn import by_slice, drawn, glorot_std, open_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph.fans import Fan
    from fanin.graph.graph import Parameter, Weight
    from fanin.graph.roles import Role
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.recipes.blocks import Block, Blocks

SHARES = frozenset({RoleKind.QUERY, RoleKind.KEY, RoleKind.ROUTER})
"""Kinds of weights that set shares, and not how large a branch is."""


def blocks_by_glorot(
    desk: Desk,
    blocks: Blocks,
    gain_of: Callable[[Block], float],
    text: str,
    *,
    law: str = "normal",
) -> dict[str, Prescription]:
    """Draw every weight on a residual branch by Glorot times the gain of its block.

    Args:
        desk: with the weights and roles.
        blocks: of the same Graph.
        gain_of: of a block, dimensionless.
        text: what the gain is, for the reason: "β of DeepNorm".
        law: "normal" or "uniform".
    """
    written = {}
    for parameter, role, weight in open_weights(desk):
        block = blocks.by_path.get(parameter.path)
        if block is not None:
            written[parameter.path] = _one(
                desk, (parameter, role, weight), gain_of(block), text, law
            )
    return written


def _one(
    desk: Desk,
    whole: tuple[Parameter, Role, Weight],
    gain: float,
    text: str,
    law: str,
) -> Prescription:
    parameter, role, weight = whole

    def std_of(fan: Fan[float], kind: RoleKind) -> float:
        return glorot_std(fan, 1.0 if kind in SHARES else gain)

    std, parts = by_slice(role, weight, std_of)
    if parts:
        reason = f"Glorot by slice; {text} {gain:.4g} where no query or key is written."
    elif role.kind in SHARES:
        reason = "Glorot with gain 1: a softmax bounds what it sets."
    else:
        reason = f"Glorot times {text} {gain:.4g}."
    return drawn(desk, parameter, std, reason, law=law, parts=parts)
