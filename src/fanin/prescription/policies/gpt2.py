"""GPT-2: every weight N(0, 0.02²), branch ends divided by √(number of branches).

Embeddings get the same 0.02, tables of positions 0.01, biases 0. "N is the number of
residual layers": two a block, so a last weight is divided by √(2·blocks). For
transformers with normalization before each branch, near the width it was tuned for
(768 to 1600): 0.02 does not look at the width, and √(1/fan_in) is 0.036 to 0.025
there. Of encoder and decoder each counts its own branches. Needs nothing of the model.

Options: ``std``; ``position_std`` (0.02 is what Hugging Face's port does).
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.roles import RoleKind
from fanin.prescription.recipes.blocks import Blocks
from fanin.prescription.recipes.drawn import drawn, of_kinds, open_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "gpt2"
SUMMARY = "N(0, 0.02²); last weights of residual branches divided by √(branches)."
SOURCE = (
    "Radford et al. 2019, Language Models are Unsupervised Multitask Learners, section "
    "2.3; std from the code of OpenAI, src/model.py"
)


def decide(
    desk: Desk, *, std: float = 0.02, position_std: float = 0.01
) -> Mapping[str, Prescription]:
    """Decide weights and tables; norms and biases are as under "auto"."""
    blocks = Blocks(desk.graph)
    ends = {
        desk.graph.parameter(node.weight.path).path: block.chain.n_branches
        for block in blocks.all
        for node in (desk.flow.nodes[i] for i in block.joint.ends)
        if node.weight is not None
    }
    written = {}
    for parameter, _, _ in open_weights(desk):
        n_branches = ends.get(parameter.path, 1)
        reason = f"N(0, {std:.4g}²)."
        if n_branches > 1:
            reason = f"N(0, {std:.4g}²), divided by √{n_branches} for the branches."
        written[parameter.path] = drawn(desk, parameter, std / sqrt(n_branches), reason)
    for parameter, _ in of_kinds(desk, RoleKind.POSITION_TABLE):
        reason = f"Positions: N(0, {position_std:.4g}²)."
        written[parameter.path] = drawn(desk, parameter, position_std, reason)
    for parameter, _ in of_kinds(
        desk, RoleKind.TABLE, RoleKind.CLASS_VECTOR, RoleKind.MASK_VECTOR
    ):
        reason = f"As an embedding: N(0, {std:.4g}²)."
        written[parameter.path] = drawn(desk, parameter, std, reason)
    return written
