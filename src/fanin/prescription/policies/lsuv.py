"""LSUV: orthonormal weights, then each layer's output scaled to standard deviation 1.

Mishkin and Matas scale layer by layer, a forward pass each; with a batch, fanin gets to
the same weights in one pass. Every weight of a layer counts, the head too, so the first
loss is that of logits of size 1. Recurrent cells and embeddings are as under "auto",
biases 0. For plain and normalized feed-forward nets of any activation; it looks at the
signal alone, not at gradients, and lets residual streams without normalization grow by
one variance a branch. Needs a batch: without one the scales are 1, as orthonormal.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.prescription.recipes.drawn import as_scheme, open_weights
from fanin.prescription.tables import CELLS
from fanin.prescription.write_down import LAW_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "lsuv"
SUMMARY = "Orthonormal, then every layer's output calibrated to rms 1 on the batch."
SOURCE = "Mishkin & Matas 2016, arXiv 1511.06422, algorithm 1"


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide every weight that is not looked up or part of a recurrent cell."""
    written = {}
    for parameter, role, weight in open_weights(desk):
        if role.kind not in CELLS and not weight.roles.is_lookup:
            law = desk.law or "orthogonal"
            spec = law if law == "orthogonal" else f"lecun_{LAW_NAMES[law]}"
            reason = "Orthonormal; its output is calibrated to rms 1."
            plain = as_scheme(desk, parameter, spec, reason)
            written[parameter.path] = replace(plain, target=1.0)
    return written
