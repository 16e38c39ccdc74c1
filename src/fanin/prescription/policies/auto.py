"""The policy "auto": each parameter by its role, each weight by the walk of theory.

Every weight is scaled for what it reads, so that its output has root mean square 1 (or
follows the edge of chaos, behind tanh and its like); deep plain chains are balanced
forward and backward. Residual branches end at 1/√L for the L of their stream, counted
where they are added, or at 0 where they multiply two functions of a stream that nothing
normalizes; a learned scale behind their ends holds that 1/√L in their place. A net of
streams or products that normalizes nowhere has orthogonal weights, and with a batch its
biases take off what samples share. Layers at sines sin(ω·z) with ω above
2 are SIREN's, spread over the frequencies up to ω. Queries and keys give logits of
variance 1, recurrent matrices are orthogonal, embeddings are sized by what they are
added to, the head starts small, and its bias at what an ignorant predictor knows of the
target. With a batch, one forward pass corrects all of it to what is measured. For any
model; each decision stands with its reason in the plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.prescription.choosing.depth import depth_warnings
from fanin.prescription.policies.siren import at_sines
from fanin.prescription.recipes.layer_scales import layer_scales
from fanin.prescription.recipes.product_branches import product_branches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "auto"
SUMMARY = "Each weight by its role and by what it reads, balanced over the depth."
SOURCE = "fanin; the sources of each decision stand in its reason"

FAST = 2.0
"""A factor inside a sine from which on it is SIREN's ω, and its layers SIREN's."""


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide what depends on whole branches, and leave the rest to ``by_role.py``."""
    return {
        **layer_scales(desk),
        **product_branches(desk),
        **at_sines(desk, above=FAST),
    }


def warnings(desk: Desk) -> tuple[str, ...]:
    """Warn of what no weights can mend."""
    return depth_warnings(desk.flow, desk.chooser.families)
