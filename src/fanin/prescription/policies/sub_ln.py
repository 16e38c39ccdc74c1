"""Sub-LN, Magneto: Glorot times γ > 1 on values, outputs and feed-forward weights.

With a normalization before each branch and one more before its last weight, larger
weights mean smaller changes of the function: γ = √log B keeps the change of the whole
model bounded in depth, for B branches (2N of N layers alone, 3M of a decoder). An
encoder of 2N branches that a decoder of 3M reads gets √(log(3M)·log(2N)/3). Queries
and keys: gain 1. If the inner normalization is missing, the plan warns: there, γ makes
the stream grow and changes nothing for the better. What lies on no residual branch is
as under "auto".
"""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING

from fanin.prescription.recipes.blocks import Block, Blocks
from fanin.prescription.recipes.glorot_blocks import blocks_by_glorot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "sub_ln"
SUMMARY = "Glorot times √log B on values, outputs and feed-forward weights (Magneto)."
SOURCE = "Wang et al. 2022, Foundation Transformers (Magneto), arXiv 2210.06423"


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide the weights on residual branches."""
    return blocks_by_glorot(desk, Blocks(desk.graph), gamma, "γ of Sub-LN")


def warnings(desk: Desk) -> tuple[str, ...]:
    """Say whether the last weights read normalized tensors."""
    blocks = Blocks(desk.graph)
    if not blocks.all:
        return ("Sub-LN: the model has no residual branches, so nothing is scaled.",)
    bare = sum(block.homogeneity.degree > 1 for block in blocks.all)
    if not bare:
        return ()
    text = (
        f"Sub-LN: in {bare} of {len(blocks.all)} blocks no normalization stands before "
        "the last weight; γ was derived for models that have one."
    )
    return (text,)


def gamma(block: Block) -> float:
    """Give the gain (Wang et al. 2022, Foundation Transformers)."""
    chain = block.chain
    square = log(max(chain.n_branches, 2))
    if chain.n_read:
        square *= log(chain.n_read) / 3
    return sqrt(square)
