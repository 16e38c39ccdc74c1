"""Forget gates: a bias of 0 or more, so that a cell begins by remembering.

Gers, Schmidhuber & Cummins (2000) and Jozefowicz, Zaremba & Sutskever (2015, section
3.3): with a bias of −1 a cell keeps σ(−1) = 0.27 of its state a step, a thousandth
after five, and no gradient comes from further back.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.roles import RoleKind
from fanin.graph.roles.setting import setting_of
from fanin.rules.structured.misfit import Misfit
from fanin.rules.words import listing, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.graph.roles import Role
    from fanin.rules.inspection import Inspection

STANDARD_ERRORS = 5.0


def misfits(inspection: Inspection) -> Iterator[Misfit]:
    """Yield the biases of each cell whose forget gates begin shut."""
    holders = {
        path: role
        for path, role in inspection.roles.items()
        if path in inspection.values
        and inspection.values[path].ndim == 1
        and any(part.kind is RoleKind.FORGET_GATE for part in role.slices)
    }
    for paths in _cells(inspection, holders) if holders else ():
        parts = [forget_part(inspection.values[p], holders[p]) for p in paths]
        mean = sum(float(part.mean()) for part in parts)
        error = sqrt(sum(float(part.var()) / part.size for part in parts))
        if mean >= -STANDARD_ERRORS * error - np.finfo(np.float32).eps:
            continue
        kept = 1.0 / (1.0 + np.exp(-mean))
        yield Misfit(
            paths=paths,
            message=f"The forget gates of {listing(paths)} begin shut: a cell keeps "
            f"{kept:.0%} of its state a step.",
            measured=f"bias of the forget gates {number(mean)} in the mean",
            expected="0 or more; 1 is usual",
            why="What a cell forgets at once, it cannot learn to remember.",
            fix="Set the forget gate's part of the bias to 1: fanin.init(model).",
            value=mean,
            interval=(0.0, inf),
        )


def forget_part(bias: np.ndarray, role: Role) -> np.ndarray:
    """Give the entries of a bias that belong to forget gates, float64."""
    slices = [part for part in role.slices if part.kind is RoleKind.FORGET_GATE]
    index = [i for i in range(bias.size) if any(part.holds(i) for part in slices)]
    return np.asarray(bias, dtype=np.float64)[index]


def _cells(
    inspection: Inspection, holders: Mapping[str, Role]
) -> list[tuple[str, ...]]:
    """Join the biases that one cell adds up: beside its input and beside its state."""
    setting = setting_of(inspection.graph)
    found: dict[str, list[str]] = {}
    for path, role in holders.items():
        node = None if role.node is None else setting.flow.nodes.get(role.node)
        weight = "" if node is None or node.weight is None else node.weight.path
        cell = setting.taking_in.get(node.id if node else -1, weight) or path
        found.setdefault(cell, []).append(path)
    return [tuple(paths) for paths in found.values()]
