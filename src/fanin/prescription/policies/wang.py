"""Wang's initialization: N(0, 2/(5d)) as "small_init", branch ends of std 2/(L√d).

L is the number of layers (one self-attention each), d the width of the stream: a last
weight gets (2/L)·√(1/d), so a layer's outputs shrink with 1/L, not 1/√L: the stream
hardly grows over the depth, and deep models learn their blocks slower at first. GPT-J
and GPT-NeoX-20B start so, with normalization before each branch. Needs nothing of the
model.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.prescription.policies.small_init import small
from fanin.prescription.recipes.blocks import Blocks
from fanin.prescription.recipes.drawn import drawn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "wang"
SUMMARY = "N(0, 2/(5d)), last weights of residual branches of std 2/(L√d)."
SOURCE = "Wang & Komatsuzaki 2021, Mesh Transformer JAX (GPT-J); Black et al. 2022"


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide weights and tables of positions."""
    blocks = Blocks(desk.graph)
    written = small(desk, blocks)
    for block in blocks.all:
        n_layers, width = block.chain.n_layers, block.chain.width
        for node in (desk.flow.nodes[i] for i in block.joint.ends):
            path = "" if node.weight is None else node.weight.path
            name = desk.graph.parameter(path).path if path else ""
            if name in written:
                reason = (
                    f"End of a branch: 2/(L·√d) of {n_layers} layers, width {width}."
                )
                std = wang_std(n_layers, width)
                written[name] = drawn(desk, desk.graph.parameter(name), std, reason)
    return written


def wang_std(n_layers: int, width: int) -> float:
    """2/(L·√d) (Wang & Komatsuzaki 2021).

    >>> wang_std(4, 25)
    0.1
    """
    return 2.0 / (n_layers * sqrt(width))
