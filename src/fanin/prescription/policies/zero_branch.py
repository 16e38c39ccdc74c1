"""Zero branches: the gain of each branch's last normalization 0, or its last weight.

Every block starts as the identity. Behind a last normalization its gain is set to 0
(zero-gamma, of large-batch ResNets); where a branch ends in a weight, that weight is
(as in Fixup, and as diffusion transformers and adapters do). Learned scales on branches
are left as they are. All else is as under "auto". For residual nets with batch
normalization, and for any whose blocks are wanted as identities at first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.prescription.recipes.blocks import Blocks, last_norms
from fanin.prescription.recipes.branch_ends import silenced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "zero_branch"
SUMMARY = "Last gain of each residual branch 0 (zero-gamma), or else its last weight."
SOURCE = "Goyal et al. 2017, arXiv 1706.02677, section 5.1; He et al. 2018, 1812.01187"


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide the ends of residual branches."""
    blocks = Blocks(desk.graph)
    written: dict[str, Prescription] = {}
    for block in blocks.all:
        written |= silenced(desk, blocks, block)
    return written


def warnings(desk: Desk) -> tuple[str, ...]:
    """Say which branches end in a normalization without a gain."""
    blocks = Blocks(desk.graph)
    bare = sum(
        any(desk.flow.nodes[i].scale is None for i in last_norms(blocks, block))
        for block in blocks.all
    )
    if not bare:
        return ()
    text = (
        f"Zero branches: {bare} of {len(blocks.all)} residual blocks end in a "
        "normalization without a gain, which nothing can set to 0; they are left."
    )
    return (text,)
