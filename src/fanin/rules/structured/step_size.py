"""Step sizes of state-space models: Δ = softplus(b) from 0.0001 to 0.1, not all one.

Gu & Dao (2023, arXiv 2312.00752, section 3.6): Δ starts log-uniform on [0.001, 0.1],
which the reference code floors at 0.0001. A state forgets by exp(−Δ·a) a step, so that
a channel remembers for about 1/(Δ·a) steps: Δ = 1.3, as of a bias of ones, is one step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.flow import Flow
from fanin.graph.roles import RoleKind
from fanin.rules.structured.misfit import Misfit
from fanin.rules.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection

SMALLEST: Final = 1e-4
LARGEST: Final = 0.1
# Of the ends: softplus⁻¹ and back in float32, or once through bfloat16.
ROUNDING: Final = 0.02
LEAST_SIZE: Final = 4
"""With fewer channels one value for all is a choice."""


def misfits(inspection: Inspection) -> Iterator[Misfit]:
    """Yield each bias whose step sizes are out of range, or all one."""
    flow = None
    for path, role in inspection.roles.items():
        value = inspection.values.get(path)
        if role.kind is not RoleKind.STEP_SIZE or value is None or value.ndim != 1:
            continue
        flow = flow or Flow(inspection.graph)
        activation = None if role.node is None else flow.activations.get(role.node)
        if activation is None or activation.function is None:
            continue
        steps = np.asarray(activation.function(value.astype(np.float64)))
        found = misfit(path, steps)
        if found is not None:
            yield found


def misfit(path: str, steps: np.ndarray) -> Misfit | None:
    """Judge the step sizes of one bias; None where they are as they should be.

    >>> misfit("dt", np.geomspace(1e-3, 0.1, 8)) is None
    True
    >>> misfit("dt", np.full(8, 1.31)).measured
    'step sizes from 1.31 to 1.31'
    """
    least, most = float(steps.min()), float(steps.max())
    is_in_range = least >= SMALLEST * (1.0 - ROUNDING) and most <= LARGEST * (
        1.0 + ROUNDING
    )
    is_constant = steps.size >= LEAST_SIZE and least == most
    if is_in_range and not is_constant:
        return None
    what = "are all one" if is_in_range else "are out of range"
    return Misfit(
        paths=(path,),
        message=f"The step sizes that it sets {what}.",
        measured=f"step sizes from {number(least)} to {number(most)}",
        expected=f"different ones between {number(SMALLEST)} and {number(LARGEST)}",
        why="A channel remembers for about one over its step size: one time for all, "
        "or a few steps, is not what the state is for.",
        fix="Draw the steps log-uniform from 0.001 to 0.1 and take softplus⁻¹ of them.",
        value=float(np.median(steps)),
        interval=(SMALLEST, LARGEST),
        # A plan keeps what somebody laid out, and only replaces one number for all.
        is_mended=least == most,
    )
