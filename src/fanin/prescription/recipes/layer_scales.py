"""Learned scales at the ends of residual branches, under the policy "auto".

x + γ·D(h) adds L branches up whichever of the two holds the 1/√L. In D it leaves the
gradient of D as large as before, so that one step of gradient descent moves the L ends
by L·‖h‖² in all; in γ that falls to ‖h‖², the same at any depth. So γ starts at 1/√L
and D gives an output of root mean square 1. LayerScale's own start, 10⁻⁶ (Touvron et
al. 2021; Liu et al. 2022), hands branches nothing to learn from until γ has grown by
itself. Scales that are exactly 0 stay: such a model starts as the identity on purpose
(Bachlechner et al. 2020, "ReZero"; De & Smith 2020, "SkipInit").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.roles import RoleKind
from fanin.prescription.recipes.blocks import Blocks
from fanin.prescription.recipes.branch_ends import at_size, inverse_root, learned_scales
from fanin.prescription.recipes.drawn import set_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Parameter
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.recipes.blocks import Block


def layer_scales(desk: Desk) -> Mapping[str, Prescription]:
    """Decide the scales and the ends before them; nothing where a model has none."""
    if not any(role.kind is RoleKind.LAYER_SCALE for role in desk.roles.values()):
        return {}
    blocks = Blocks(desk.graph)
    scales = learned_scales(desk, blocks)
    written: dict[str, Prescription] = {}
    for block in blocks.all:
        found = [
            parameter
            for path in scales.get(block.joint.node, ())
            if _may_be_set(desk, parameter := desk.graph.parameter(path))
        ]
        if len(found) == 1:
            written |= _of_block(desk, blocks, block, found[0])
    return written


def _may_be_set(desk: Desk, parameter: Parameter) -> bool:
    present = desk.evidence.values.get(parameter.path)
    is_zero = present is not None and not np.any(present)
    return desk.is_open(parameter) and not is_zero


def _of_block(
    desk: Desk, blocks: Blocks, block: Block, scale: Parameter
) -> dict[str, Prescription]:
    """Let the scale hold what the end would be divided by."""
    n_branches = block.chain.n_branches
    reason = (
        f"1/√{n_branches}: {n_branches} branches add up in its stream, and a scale, "
        "unlike the weight before it, keeps their steps from adding up too."
    )
    value = inverse_root(n_branches)
    written = {scale.path: set_to(desk, scale, value, reason)}
    undivided = "Not divided by √L: the scale behind it is."
    return written | at_size(desk, blocks, block, 1.0, undivided)
