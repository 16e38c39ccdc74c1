"""State-space models: decay rates and step sizes laid out over time scales.

h' = exp(Δ·A)·h + Δ·B·x forgets over 1/(Δ·|A|) steps. A state of N numbers with
A_n = −(n + 1) remembers over N lengths at once (S4D-Real: Gu et al. 2022, section 4),
and steps Δ = softplus(b) spread evenly in their logarithm from 0.001 to 0.1 take each
channel to its own scale (Gu & Dao 2023, appendix E.2; section 3.6).

Authors who lay such numbers out know their scales: what is there is kept. Where nothing
is (a model without memory), or all numbers are alike or not finite, the layout above is
made anew, through the function that the model sends the parameter; where the Graph has
only the function's result (an A computed once from its logarithm), it is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind
from fanin.graph.roles.walks import MOVING, forward
from fanin.prescription.write_down import listed

if TYPE_CHECKING:
    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node, Parameter, ScalarFunction
    from fanin.graph.roles import Role
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

SHORTEST, LONGEST = 1e-3, 1e-1
"""Step sizes Δ, in units of one step of the input."""
MOST_ENTRIES = 2**16
"""Written down one by one in the plan: larger parameters are left alone."""
LAID_OUT = frozenset({RoleKind.STATE_MATRIX, RoleKind.STEP_SIZE})


def laid_out(desk: Desk, parameter: Parameter, role: Role) -> Prescription | None:
    """Lay decay rates or step sizes out anew, where what is there cannot be meant.

    None where it can, or where the model reads them in a way that is not known.
    """
    is_weight = parameter.path in desk.weights
    if role.kind not in LAID_OUT or is_weight or parameter.size > MOST_ENTRIES:
        return None
    if not _is_missing(desk, parameter):
        return None
    node = None if role.node is None else desk.flow.nodes[role.node]
    if node is None or (node.op is Op.PARAMETER and "computed_from" in node.details):
        return None
    function = _function_after(desk.flow, node)
    if role.kind is RoleKind.STEP_SIZE:
        return _steps(parameter, role, function)
    return _rates(parameter, role, function)


def _is_missing(desk: Desk, parameter: Parameter) -> bool:
    """Say whether a parameter has no memory, or holds one number or none."""
    if parameter.storage == "meta":
        return True
    values = desk.evidence.values.get(parameter.path)
    if values is None:
        return False
    numbers = np.asarray(values, dtype=np.float64)
    return not np.isfinite(numbers).all() or (
        parameter.size > 1 and bool(np.all(numbers == numbers.flat[0]))
    )


def _function_after(flow: Flow, start: Node) -> ScalarFunction | None:
    """Give the function that a parameter, or what it is added to, goes through next."""
    passing = MOVING | {Op.ADD}
    for _, reader in forward(flow, start, lambda node: node.op in passing):
        return reader.function if reader.op is Op.ELEMENTWISE else None
    return None


def _rates(
    parameter: Parameter, role: Role, function: ScalarFunction | None
) -> Prescription | None:
    """Give A_n = −(n + 1) over the last axis."""
    n_rates = parameter.shape[-1] if parameter.shape else 1
    wanted = -np.arange(1.0, n_rates + 1.0)
    own = next(
        (
            tried
            for tried in (wanted, np.log(-wanted))
            if _gives(function, tried, wanted)
        ),
        None,
    )
    if own is None:
        return None
    entries = np.broadcast_to(own, parameter.shape).reshape(-1)
    reason = (
        f"Laid out anew: decay rates −1 to −{n_rates}, so that a state remembers over "
        "as many lengths of time (S4D-Real, Gu et al. 2022, section 4)."
    )
    return listed(parameter, role, tuple(map(float, entries)), reason)


def _steps(
    parameter: Parameter, role: Role, function: ScalarFunction | None
) -> Prescription | None:
    """Give softplus⁻¹ of step sizes that are evenly spread in their logarithm."""
    places = (np.arange(parameter.size) + 0.5) / parameter.size
    steps = SHORTEST * (LONGEST / SHORTEST) ** places
    entries = steps + np.log(-np.expm1(-steps))
    if not _gives(function, entries, steps):
        return None
    reason = (
        f"Laid out anew: step sizes {SHORTEST} to {LONGEST}, evenly in their "
        "logarithm, through softplus (Gu & Dao 2023, section 3.6)."
    )
    return listed(parameter, role, tuple(map(float, entries)), reason)


def _gives(
    function: ScalarFunction | None, entries: np.ndarray, wanted: np.ndarray
) -> bool:
    """Say whether a function turns entries into what is wanted; None is x ↦ x."""
    with np.errstate(all="ignore"):
        got = entries if function is None else np.asarray(function(entries))
    return bool(np.allclose(got, wanted, rtol=1e-4, atol=0.0))
