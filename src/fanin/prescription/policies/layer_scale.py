"""LayerScale: one learned factor a unit on each branch, smaller the deeper the model.

The factors start at 0.1 up to 18 layers, at 10⁻⁵ up to 24, at 10⁻⁶ beyond; the branch
before them at its usual size, not divided by √L. If a branch has no such factors, it is
left as under "auto" and the plan says so: a last weight that small would be another
method. For deep vision transformers (CaiT) and ConvNeXt-like nets.

Option: ``value``, in place of the constants above (0 keeps them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.prescription.recipes.blocks import Blocks
from fanin.prescription.recipes.branch_ends import (
    at_size,
    learned_scales,
    without_scale,
)
from fanin.prescription.recipes.drawn import set_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "layer_scale"
SUMMARY = "Factors on residual branches start at 0.1, 10⁻⁵ or 10⁻⁶ by depth (CaiT)."
SOURCE = "Touvron et al. 2021, arXiv 2103.17239, section 2"


def decide(desk: Desk, *, value: float = 0.0) -> Mapping[str, Prescription]:
    """Decide the factors, and the weights before them."""
    blocks = Blocks(desk.graph)
    scales = learned_scales(desk, blocks)
    written: dict[str, Prescription] = {}
    for block in blocks.all:
        paths = scales.get(block.joint.node, ())
        start = value or by_depth(block.chain.n_layers)
        for path in paths:
            parameter = desk.graph.parameter(path)
            if desk.is_open(parameter):
                reason = f"LayerScale of {block.chain.n_layers} layers: {start:.4g}."
                written[path] = set_to(desk, parameter, start, reason)
        if paths:
            reason = "Not divided by √L: LayerScale sets the branch's size."
            written |= at_size(desk, blocks, block, 1.0, reason)
    return written


def warnings(desk: Desk, *, value: float = 0.0) -> tuple[str, ...]:
    """Say which branches have no factors."""
    del value
    blocks = Blocks(desk.graph)
    n_without = without_scale(desk, blocks)
    if not n_without:
        return ()
    text = (
        f"LayerScale: {n_without} of {len(blocks.all)} residual blocks have no learned "
        'scale on the branch; they are left as under "auto".'
    )
    return (text,)


def by_depth(n_layers: int) -> float:
    """Give the factor by the number of layers (Touvron et al. 2021, section 2).

    >>> by_depth(12), by_depth(24), by_depth(36)
    (0.1, 1e-05, 1e-06)
    """
    if n_layers <= 18:
        return 0.1
    return 1e-5 if n_layers <= 24 else 1e-6
