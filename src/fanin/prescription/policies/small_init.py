"""Small initialization: every weight N(0, 2/(5d)), d the width of the stream.

Glorot's variance for a weight from d to 4d units, 2/(d + 4d), given to all weights of
the blocks, so that attention's d × d weights start smaller than Glorot has them; with
normalization before each branch it made warm-up needless. As GPT-NeoX uses it,
embeddings, positions and the head get it too. A weight outside of any residual stream
takes its own fan_in for d. Biases 0. Needs nothing of the model.
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

NAME = "small_init"
SUMMARY = "Every weight N(0, 2/(5d)), d the width of the residual stream."
SOURCE = "Nguyen & Salazar 2019, arXiv 1910.05895"


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide weights and tables of positions."""
    return small(desk, Blocks(desk.graph))


def small(desk: Desk, blocks: Blocks) -> dict[str, Prescription]:
    """Give every weight and table of positions the variance 2/(5d)."""
    width = next((chain.width for chain in blocks.chains.values()), 0)
    written = {}
    for parameter, _, weight in open_weights(desk):
        block = blocks.by_path.get(parameter.path)
        n_units = width if block is None else block.chain.width
        std = small_std(n_units or weight.fan.n_in)
        reason = f"√(2/(5·{n_units or weight.fan.n_in:.0f})) by the stream's width."
        written[parameter.path] = drawn(desk, parameter, std, reason)
    if width:
        for parameter, _ in of_kinds(desk, RoleKind.POSITION_TABLE):
            reason = f"As the weights: √(2/(5·{width}))."
            written[parameter.path] = drawn(desk, parameter, small_std(width), reason)
    return written


def small_std(width: float) -> float:
    """√(2/(5d)) (Nguyen & Salazar 2019).

    >>> small_std(10)
    0.2
    """
    return sqrt(2.0 / (5.0 * width))
