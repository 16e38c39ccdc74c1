"""DeepNorm: Glorot times β on values, outputs and feed-forward weights.

For transformers with normalization after each sum, LN(α·x + f(x)): β keeps the change
of the whole model in one step of the optimizer the same at every depth, and so it goes
with α, a factor on the shortcut that no weight can replace. If the model lacks α, or
has another one, the plan warns and names the right one. With B branches in a stream
(2 a layer of an encoder or of a decoder alone, 3 a layer of a decoder that reads an
encoder): α = B^¼, β = (4B)^−¼. An encoder of N layers that a decoder of M layers reads:
α = 0.81(N⁴M)^(1/16), β = 0.87(N⁴M)^(−1/16). Queries, keys: gain 1. What lies on no
residual branch is as under "auto".
"""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING

from fanin.prescription.recipes.blocks import Block, Blocks, Chain
from fanin.prescription.recipes.glorot_blocks import blocks_by_glorot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "deepnorm"
SUMMARY = (
    "Glorot times β on values, outputs and feed-forward weights; wants α·x + f(x)."
)
SOURCE = "Wang et al. 2022, DeepNet, arXiv 2203.00555, figure 2"

# Derived in tests/claims/test_published_depth.py, rounded as the source rounds them
ENCODER_ALPHA = 0.81  # (2·12^−½·3^−¼)^¼
ENCODER_BETA = 0.87  # (8·12^−½·3^−¼)^−¼
CLOSE = 0.02


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide the weights on residual branches."""
    blocks = Blocks(desk.graph)
    return blocks_by_glorot(desk, blocks, _beta_of, "β of DeepNorm")


def warnings(desk: Desk) -> tuple[str, ...]:
    """Say whether the model has the α that β belongs to, and the normalization."""
    blocks = Blocks(desk.graph)
    if not blocks.all:
        return ("DeepNorm: the model has no residual branches, so nothing is scaled.",)
    found = []
    for chain in blocks.chains.values():
        wanted = alpha(chain)
        factors = set(blocks.shortcut_factors(chain))
        numbers = sorted({f for f in factors if f is not None})
        name = "The stream" if chain.side == "alone" else f"The {chain.side}"
        right = f"{wanted:.4g}·x + f(x), for {chain.n_branches} branches"
        if None in factors:
            found.append(
                f"DeepNorm: {name.lower()} is multiplied by a parameter at the sums; "
                f"set it so that they are {right}."
            )
        elif not all(isclose(f, wanted, rel_tol=CLOSE) for f in numbers):
            shown = ", ".join(f"{f:.4g}·x" for f in numbers)
            found.append(
                f"DeepNorm: {name.lower()} adds its branches to {shown}; β alone is "
                f"not DeepNorm, the sums should be {right}."
            )
        if not blocks.is_post_norm(chain):
            found.append(
                f"DeepNorm: {name.lower()} is not normalized after each sum, as "
                "LN(α·x + f(x)) is; β was derived for that order."
            )
    return tuple(found)


def _beta_of(block: Block) -> float:
    return beta(block.chain)


def alpha(chain: Chain) -> float:
    """Give the factor on the shortcut (Wang et al. 2022, figure 2)."""
    if chain.n_read:
        return float(ENCODER_ALPHA * _mixed(chain) ** (1 / 16))
    return float(chain.n_branches**0.25)


def beta(chain: Chain) -> float:
    """Give the gain of values, outputs and feed-forward weights (the same figure)."""
    if chain.n_read:
        return float(ENCODER_BETA * _mixed(chain) ** (-1 / 16))
    return float((4 * chain.n_branches) ** -0.25)


def _mixed(chain: Chain) -> float:
    """N⁴·M, for 2N branches of the encoder and 3M of the decoder."""
    return (chain.n_branches / 2) ** 4 * chain.n_read / 3
