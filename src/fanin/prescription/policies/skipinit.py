"""SkipInit: x + α·f(x) with α = 0, or a small constant, in place of normalization.

De and Smith find that batch normalization helps deep residual nets by making branches
small at first, and that a learned α = 0, or α = 1/√L, does it too. With ``alpha`` 0 it
is "rezero". With another number, learned scales get it; on branches without one the
last weight is sized so that the branch's output has that root mean square. All else is
as under "auto". For residual nets without normalization.

Option: ``alpha``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.prescription.recipes.blocks import Blocks
from fanin.prescription.recipes.branch_ends import gated, without_scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "skipinit"
SUMMARY = "Scales on residual branches start at α = 0 (or another small number)."
SOURCE = "De & Smith 2020, arXiv 2002.10444"


def decide(desk: Desk, *, alpha: float = 0.0) -> Mapping[str, Prescription]:
    """Decide the ends of residual branches."""
    return gated(desk, Blocks(desk.graph), alpha)


def warnings(desk: Desk, *, alpha: float = 0.0) -> tuple[str, ...]:
    """Say which branches have no learned scale."""
    blocks = Blocks(desk.graph)
    n_without = without_scale(desk, blocks)
    if not n_without:
        return ()
    how = "starts at 0" if alpha == 0.0 else f"is sized to rms {alpha:.4g}"
    text = (
        f"SkipInit: {n_without} of {len(blocks.all)} residual blocks have no learned "
        f"scale; the end of the branch {how} instead."
    )
    return (text,)
