"""ReZero: x + α·f(x) with a learned α = 0, so that every block starts as the identity.

If a branch has a learned scale (one number, or one a unit), it starts at 0 and the
branch before it at its usual size, not divided by √L. If it has none, the branch is
ended at 0 another way: by the gain of its last normalization, or by its last weight;
the plan says so. All else is as under "auto". For deep residual nets of any kind; the
inner weights of a branch begin to learn one step after its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.prescription.recipes.blocks import Blocks
from fanin.prescription.recipes.branch_ends import gated, without_scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "rezero"
SUMMARY = "Learned scales on residual branches 0, or the branches' ends where none is."
SOURCE = "Bachlechner et al. 2020, arXiv 2003.04887, equation 2"


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide the ends of residual branches."""
    return gated(desk, Blocks(desk.graph), 0.0)


def warnings(desk: Desk) -> tuple[str, ...]:
    """Say which branches have no learned scale."""
    blocks = Blocks(desk.graph)
    if not blocks.all:
        return ("ReZero: the model has no residual branches, so nothing is set to 0.",)
    n_without = without_scale(desk, blocks)
    if not n_without:
        return ()
    text = (
        f"ReZero: {n_without} of {len(blocks.all)} residual blocks have no learned "
        "scale; their last normalization's gain or last weight starts at 0 instead."
    )
    return (text,)
