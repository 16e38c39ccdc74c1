"""Fixup: residual networks without normalization, trained as fast as with it.

He on every weight; the last weight of each branch and the head 0; all other weights of
a branch with m of them times L^(−1/(2m−2)), L the branches of the model: then one step
of gradient descent changes the output by as much at every depth. Weights whose size a
normalization, a softmax or a bounded function hides do not count among the m and are
not scaled; in a gate both factors count. Learned scales on branches start at 1, biases
at 0. For residual nets whose normalization was taken out. A branch that ends in a
normalization starts at 0 by that one's gain.

The source adds a scalar bias before each weight and activation, and a scalar factor in
each branch: if the model has them, they start at 0 and 1; none can be added here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.roles import RoleKind
from fanin.prescription.recipes.blocks import Blocks
from fanin.prescription.recipes.branch_ends import learned_scales, silenced
from fanin.prescription.recipes.drawn import (
    by_slice,
    drawn,
    he_std,
    open_weights,
    set_to,
)
from fanin.prescription.recipes.glorot_blocks import SHARES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.fans import Fan
    from fanin.graph.graph import Parameter, Weight
    from fanin.graph.roles import Role
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.recipes.blocks import Block

NAME = "fixup"
SUMMARY = "He; in branches times L^(−1/(2m−2)), their last weights and the head 0."
SOURCE = "Zhang, Dauphin & Ma 2019, arXiv 1901.09321, section 3"


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide weights, learned scales and the ends of branches."""
    blocks = Blocks(desk.graph)
    written = {}
    for parameter, role, weight in open_weights(desk):
        if role.kind is RoleKind.HEAD:
            reason = "Head: 0, so that the first step is the same at every depth."
            written[parameter.path] = set_to(desk, parameter, 0.0, reason)
        elif not weight.roles.is_lookup:
            block = blocks.by_path.get(parameter.path)
            written[parameter.path] = _inner(
                desk, (parameter, role, weight), block, blocks
            )
    for block in blocks.all:
        written |= silenced(desk, blocks, block)
    for paths in learned_scales(desk, blocks).values():
        for path in paths:
            reason = "Learned scale on a residual branch: 1."
            written[path] = set_to(desk, desk.graph.parameter(path), 1.0, reason)
    return {path: p for path, p in written.items() if _is_open(desk, path)}


def warnings(desk: Desk) -> tuple[str, ...]:
    """Say if there is nothing for Fixup to do."""
    if Blocks(desk.graph).all:
        return ()
    return ("Fixup: the model has no residual branches; only the head is set to 0.",)


def _is_open(desk: Desk, path: str) -> bool:
    return desk.is_open(desk.graph.parameter(path))


def _inner(
    desk: Desk,
    whole: tuple[Parameter, Role, Weight],
    block: Block | None,
    blocks: Blocks,
) -> Prescription:
    """Scale a weight on a branch, if the branch's size depends on it."""
    parameter, role, weight = whole
    factor = 1.0
    if block is not None:
        counted = {
            desk.graph.parameter(w.path).path
            for w in (blocks.flow.nodes[i].weight for i in block.homogeneity.weights)
            if w is not None
        }
        m = block.homogeneity.degree
        if parameter.path in counted and m > 1:
            factor = branch_factor(block.chain.n_branches, m)

    def std_of(fan: Fan[float], kind: RoleKind) -> float:
        return he_std(fan, 1.0 if kind in SHARES else factor)

    std, parts = by_slice(role, weight, std_of)
    reason = "He."
    if factor != 1.0 and block is not None:
        m, n = block.homogeneity.degree, block.chain.n_branches
        reason = f"He times {n}^(−1/{2 * m - 2}): {m} weights on each of {n} branches."
    return drawn(desk, parameter, std, reason, parts=parts)


def branch_factor(n_branches: int, n_weights: int) -> float:
    """L^(−1/(2m−2)) (Zhang, Dauphin & Ma 2019, section 3.2), m > 1.

    >>> branch_factor(16, 3)
    0.5
    """
    return float(n_branches ** (-1.0 / (2 * n_weights - 2)))
