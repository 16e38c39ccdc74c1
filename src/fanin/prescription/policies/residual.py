"""Residual variants: as "auto", but with another size for the ends of branches.

``mode`` says which root mean square each branch adds to a stream of size 1, for L
branches in the stream's chain of N layers, at the l-th branch: "branches" 1/√L (the
stream's second moment ends below e), "half" 1/√(2L) (below √e), "layers" 1/√N,
"inverse" 1/L (the branches' effects add up to 1 even if they all agree), "taper" 1/√l
(grows like L, as the l-th sum of a pre-norm net does), "none" 1 (each branch as large
as the first stream: doubles it without normalization, grows it by L with), "zero" 0.
Everything else is as under "auto".
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError
from fanin.prescription.recipes.blocks import Blocks
from fanin.prescription.recipes.branch_ends import at_size, silenced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.recipes.blocks import Block

NAME = "residual"
SUMMARY = 'As "auto", with another size for the ends of residual branches (mode=…).'
SOURCE = (
    "Balduzzi et al. 2017, arXiv 1702.08591; Zhang, Dauphin & Ma 2019, 1901.09321; "
    "Yang et al. 2023, 2310.02244; De & Smith 2020, 2002.10444"
)

SIZES: Final[Mapping[str, Callable[[Block], float]]] = {
    "branches": lambda block: 1.0 / sqrt(block.chain.n_branches),
    "half": lambda block: 1.0 / sqrt(2.0 * block.chain.n_branches),
    "layers": lambda block: 1.0 / sqrt(block.chain.n_layers),
    "inverse": lambda block: 1.0 / block.chain.n_branches,
    "taper": lambda block: 1.0 / sqrt(block.first),
    "none": lambda _: 1.0,
    "zero": lambda _: 0.0,
}
"""Root mean square that each branch of a block adds to the stream, by mode."""


def decide(desk: Desk, *, mode: str = "branches") -> Mapping[str, Prescription]:
    """Decide the last weights of residual branches."""
    if mode not in SIZES:
        expected = f"one of {', '.join(SIZES)}"
        raise ArgumentError.of(
            argument="residual(mode=…)", received=mode, expected=expected
        )
    blocks = Blocks(desk.graph)
    written: dict[str, Prescription] = {}
    for block in blocks.all:
        size = SIZES[mode](block)
        reason = f"Its branch adds rms {size:.4g} to the stream (mode {mode})."
        written |= (
            at_size(desk, blocks, block, size, reason)
            if size
            else silenced(desk, blocks, block)
        )
    return written
