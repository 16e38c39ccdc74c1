"""Admin: ω·x + f(x) with ω so large that each branch is a small part of the sum.

For transformers with normalization after each sum and a learned factor ω on each
shortcut: ω of the i-th sum is √(Σ Var f) over the branches before it (1 at the first),
as if the stream had never been normalized; so the share of a branch falls with depth,
and the model depends less on each weight. The source profiles Var f in one forward
pass; here theory predicts it, from the input's measured moments if there is a batch.
Weights on branches are Glorot's, uniform. If the model has no such factors, only those
are set, and the plan says so. What lies on no residual branch is as under "auto".
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.prescription.predicted import moments_with
from fanin.prescription.recipes.blocks import Blocks
from fanin.prescription.recipes.drawn import set_to
from fanin.prescription.recipes.glorot_blocks import blocks_by_glorot
from fanin.prescription.recipes.shortcuts import shortcut_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.recipes.blocks import Block
    from fanin.theory.moments import Moments

NAME = "admin"
SUMMARY = "Glorot, and learned factors on shortcuts √(Σ Var f) of the branches before."
SOURCE = "Liu et al. 2020, arXiv 2004.08249"


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide the weights on residual branches, and the factors on shortcuts."""
    blocks = Blocks(desk.graph)
    written = blocks_by_glorot(desk, blocks, _unscaled, "gain", law="uniform")
    whole = {
        p.path: written.get(p.path) or desk.prescribe(p) for p in desk.graph.parameters
    }
    moments = moments_with(desk.graph, whole, desk.evidence)
    before: dict[int, float] = {}
    for block in blocks.all:
        number = block.chain.number
        factor = sqrt(before[number]) if before.get(number) else 1.0
        for path in shortcut_parameters(desk.flow, block.joint):
            parameter = desk.graph.parameter(path)
            if desk.is_open(parameter):
                reason = f"ω: √ of the variance of {block.first - 1} branches before."
                written[parameter.path] = set_to(desk, parameter, factor, reason)
        before[number] = before.get(number, 0.0) + _variance(block, moments)
    return written


def warnings(desk: Desk) -> tuple[str, ...]:
    """Say which shortcuts have no factor to set."""
    blocks = Blocks(desk.graph)
    bare = sum(not shortcut_parameters(desk.flow, b.joint) for b in blocks.all)
    if not bare:
        return ()
    text = (
        f"Admin: {bare} of {len(blocks.all)} residual sums have no learned factor on "
        "the shortcut, without which it is Glorot's initialization and no more."
    )
    return (text,)


def _unscaled(_: Block) -> float:
    return 1.0


def _variance(block: Block, moments: Mapping[int, Moments | None]) -> float:
    """Give the second moment of a block's branches, 1 each where not predicted."""
    found = (moments.get(branch) for branch in block.joint.branches)
    return sum(1.0 if x is None else x.second_moment for x in found)
