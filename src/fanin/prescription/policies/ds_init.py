"""Depth-scaled initialization: Glorot's bound times α/√l in the l-th layer.

The deeper a layer, the smaller its branches: with normalization after each sum, the
share of the shortcut grows from layer to layer and gradients reach the first ones. For
deep transformers with normalization after each sum. Weights outside of residual
branches are as under "auto". Needs nothing of the model.

Option: ``alpha``, in (0, 1].
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError
from fanin.prescription.recipes.blocks import Blocks
from fanin.prescription.recipes.drawn import by_slice, drawn, glorot_std, open_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.fans import Fan
    from fanin.graph.roles import RoleKind
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "ds_init"
SUMMARY = "Glorot uniform times α/√l in the l-th layer of a residual stream."
SOURCE = "Zhang, Titov & Sennrich 2019, arXiv 1908.11365"


def decide(desk: Desk, *, alpha: float = 1.0) -> Mapping[str, Prescription]:
    """Decide the weights on residual branches."""
    if not 0.0 < alpha <= 1.0:
        argument, expected = "ds_init(alpha=…)", "a number above 0 and at most 1"
        raise ArgumentError.of(argument=argument, received=alpha, expected=expected)
    blocks = Blocks(desk.graph)
    written = {}
    for parameter, role, weight in open_weights(desk):
        block = blocks.by_path.get(parameter.path)
        if block is None:
            continue
        gain = alpha / sqrt(block.layer)

        def std_of(fan: Fan[float], kind: RoleKind, gain: float = gain) -> float:
            del kind
            return glorot_std(fan, gain)

        std, parts = by_slice(role, weight, std_of)
        reason = f"Glorot times {alpha:.4g}/√{block.layer} in layer {block.layer}."
        written[parameter.path] = drawn(
            desk, parameter, std, reason, law="uniform", parts=parts
        )
    return written
