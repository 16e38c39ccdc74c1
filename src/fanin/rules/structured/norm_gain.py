"""Gains of a normalization: near 1, or 0 at the end of a residual branch.

Every published start sets them to 1 (Ioffe & Szegedy 2015; Ba, Kiros & Hinton 2016), to
0 at the end of a branch (Goyal et al. 2017, section 5.1), or to 1/√depth (Sun et al.
2025, arXiv 2502.05795), which is over 0.05 to a depth of 400.
"""

from __future__ import annotations

from math import log
from sys import float_info
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.roles import RoleKind
from fanin.rules.structured.misfit import Misfit
from fanin.rules.virtual_steps import root_mean_square
from fanin.rules.words import count, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph.roles import Role
    from fanin.rules.inspection import Inspection

SMALLEST, LARGEST = 0.05, 10.0


def misfits(inspection: Inspection) -> Iterator[Misfit]:
    """Yield one misfit for all gains that are 0, tiny or huge."""
    sizes = {
        path: root_mean_square(effective)
        for path, role in inspection.roles.items()
        if role.kind is RoleKind.NORM_GAIN and role.n_branches == 0
        for effective in [_effective(inspection, path, role)]
        if effective is not None
    }
    wild = [path for path, size in sizes.items() if not SMALLEST <= size <= LARGEST]
    if not wild:
        return
    worst = max(wild, key=lambda path: abs(log(max(sizes[path], float_info.min))))
    many = f"{count(len(wild), 'normalization')} "
    many += "multiplies" if len(wild) == 1 else "multiply"
    size = number(sizes[worst])
    yield Misfit(
        paths=tuple(wild),
        message=f"{many} by {size}{'' if len(wild) == 1 else ' or the like'}, and "
        f"{'does' if len(wild) == 1 else 'do'} not end a residual branch.",
        measured=f"gain of {worst} of size {size}",
        expected="1, or 0 at the end of a residual branch",
        why="The layer after it hears a signal of that size, whatever comes in.",
        fix="Set the gain to 1: fanin.init(model).",
        value=sizes[worst],
        interval=(SMALLEST, LARGEST),
    )


def _effective(inspection: Inspection, path: str, role: Role) -> np.ndarray | None:
    """Give the gain as it multiplies: the parameter, or 1 plus the parameter."""
    value = inspection.values.get(path)
    if value is None or role.node is None or not value.size:
        return None
    details = inspection.graph.node(role.node).details
    factor, offset = details.get("gain_factor", 1.0), details.get("gain_offset", 0.0)
    if not isinstance(factor, int | float) or not isinstance(offset, int | float):
        return None
    wide: np.ndarray = factor * np.asarray(value, dtype=np.float64) + offset
    return wide
