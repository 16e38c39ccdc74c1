"""T-Fixup: transformers without normalization and without warm-up.

Glorot uniform everywhere, embeddings N(0, 1/d); then values, outputs and feed-forward
weights of a decoder of M layers, and all embeddings, times (9M)^−¼; those of an encoder
of N layers times 0.67·N^−¼. Both follow from one condition, that the changes of the
branches in one step add up to the same at every depth; from it comes (3B)^−¼ for a
stream alone with B branches, embeddings included. Queries and keys: gain 1. The source
takes the normalization layers out of the model; if there are some, the plan warns.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.prescription.recipes.blocks import Block, Blocks
from fanin.prescription.recipes.drawn import by_slice, drawn, glorot_std, open_weights
from fanin.prescription.recipes.glorot_blocks import blocks_by_glorot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.fans import Fan
    from fanin.graph.roles import RoleKind
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "t_fixup"
SUMMARY = "Transformers without normalization: Glorot, values and outputs by depth^−¼."
SOURCE = "Huang, Perez, Ba & Volkovs 2020, PMLR 119"

# √ of the root of 2s⁴ + (4/3)s² = 1: see tests/claims/test_published_depth.py
ENCODER = 0.67


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide weights and embeddings."""
    blocks = Blocks(desk.graph)
    table = table_gain(blocks)
    written = {}
    for parameter, role, weight in open_weights(desk):
        if weight.roles.is_lookup:
            std = table / sqrt(weight.fan.n_out)
            reason = f"Embedding: N(0, 1/d) times {table:.4g}."
            written[parameter.path] = drawn(desk, parameter, std, reason)
        else:
            std, parts = by_slice(role, weight, _plain)
            reason = "Glorot uniform."
            written[parameter.path] = drawn(
                desk, parameter, std, reason, law="uniform", parts=parts
            )
    return written | blocks_by_glorot(
        desk, blocks, gain, "the factor of T-Fixup", law="uniform"
    )


def warnings(desk: Desk) -> tuple[str, ...]:
    """Say where the model is not as the source has it."""
    n_norms = sum(
        n.op is Op.NORMALIZE and n.details.get("kind") not in {"l1", "l2"}
        for n in desk.graph.nodes
    )
    if not n_norms:
        return ()
    text = (
        f"T-Fixup: the model has {n_norms} normalizations, which the source takes out; "
        "behind one, these scales only change how fast a weight learns."
    )
    return (text,)


def _plain(fan: Fan[float], kind: RoleKind) -> float:
    del kind
    return glorot_std(fan)


def gain(block: Block) -> float:
    """Give the factor of values, outputs, feed-forward weights (Huang et al. 2020)."""
    if block.chain.n_read:
        return float(ENCODER * (block.chain.n_branches / 2) ** -0.25)
    return float((3 * block.chain.n_branches) ** -0.25)


def table_gain(blocks: Blocks) -> float:
    """Give the embeddings' factor: the decoder's, or that of the deepest chain."""
    chains = list(blocks.chains.values())
    decoders = [chain.n_branches for chain in chains if not chain.n_read]
    n_branches = max(decoders or [chain.n_branches for chain in chains], default=0)
    return float((3 * n_branches) ** -0.25) if n_branches else 1.0
