"""Rates of decay of a state: negative, and not the same for all states of a channel.

h' = exp(Δ·A)·h: with A ≥ 0 the state grows or never fades, and with equal entries a
channel has one state many times over. The reference is A = −(1, 2, …, n) (Gu et al.
2022, "On the parameterization and initialization of diagonal state space models",
S4D-Real), or −U(1, 16) a head (Dao & Gu 2024, arXiv 2405.21060).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind
from fanin.graph.roles.scan import decays
from fanin.graph.roles.walks import MOVING
from fanin.graph.unit_spaces import parameter_path
from fanin.rules.structured.misfit import Misfit
from fanin.rules.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph import Node
    from fanin.rules.inspection import Inspection

LEAST_SIZE = 4
"""With fewer states one rate for all is a choice."""


def misfits(inspection: Inspection) -> Iterator[Misfit]:
    """Yield each parameter whose rates are not negative, or all one."""
    kinds = inspection.roles
    if all(role.kind is not RoleKind.STATE_MATRIX for role in kinds.values()):
        return
    for path, (rates, is_known) in _rates(inspection).items():
        found = misfit(path, rates) if is_known else None
        found = found or alike(path, rates, is_mended=is_known)
        if found is not None and kinds[path].kind is RoleKind.STATE_MATRIX:
            yield found


def misfit(path: str, rates: np.ndarray) -> Misfit | None:
    """Say which states grow; None where all fade.

    >>> misfit("A", -np.arange(1.0, 9.0)) is None, misfit("A", np.ones(8)).value
    (True, 1.0)
    """
    largest = float(rates.max())
    if largest < 0.0:
        return None
    n_growing = int(np.count_nonzero(rates >= 0.0))
    return Misfit(
        paths=(path,),
        message=f"{n_growing} of the {rates.size} states that it rules never fade.",
        measured=f"rates up to {number(largest)}",
        expected="negative rates",
        why="A state that grows with every step overflows on a long sequence.",
        fix="Make it the logarithm of the rates and take −exp of it, as S4D does.",
        value=largest,
        interval=(-inf, 0.0),
        is_mended=False,
    )


def alike(path: str, rates: np.ndarray, *, is_mended: bool = True) -> Misfit | None:
    """Say so where all states fade at one rate; None where they differ.

    What is computed from equal numbers is equal, so that the rates need not be known.

    >>> alike("A", np.log(np.tile(np.arange(1.0, 9.0), (3, 1)))) is None
    True
    >>> alike("A", np.zeros((3, 8))).message
    'All states of a channel fade at one rate.'
    """
    n_states = rates.shape[-1]
    if n_states < LEAST_SIZE or np.any(np.ptp(rates, axis=-1) > 0.0):
        return None
    whose = "All states of a channel fade" if rates.ndim > 1 else "All heads fade"
    return Misfit(
        paths=(path,),
        message=f"{whose} at one rate.",
        measured=f"1 rate for {n_states} states",
        expected="different rates: −1, −2, … −n, or drawn from U(−16, −1)",
        why="Equal rates make copies of one state, and one memory of all.",
        fix="Set it so that the rates are −1, −2, … −n, as S4D-Real does.",
        value=1.0,
        interval=(2.0, float(n_states)),
        is_mended=is_mended,
    )


def _rates(inspection: Inspection) -> dict[str, tuple[np.ndarray, bool]]:
    """Give what multiplies the step sizes in the exponent, by parameter.

    With it, whether the numbers are the rates themselves; else what they are computed
    from, by a function that the graph does not keep.
    """
    flow = Flow(inspection.graph)
    found = {}
    for product in sorted(decays(flow)):
        for source in flow.nodes[product].inputs:
            traced = _traced(inspection, flow, flow.nodes[source])
            if traced is not None:
                found[traced[0]] = traced[1:]
        scale = flow.nodes[product].scale
        if scale is not None and scale in inspection.values:
            found[scale] = _wide(inspection.values[scale]), True
    return {path: rates for path, rates in found.items() if rates[0].size}


def _traced(
    inspection: Inspection, flow: Flow, node: Node
) -> tuple[str, np.ndarray, bool] | None:
    """Follow a factor back to the parameter that it is computed from, if it is one."""
    functions = []
    current = node
    while current.op in MOVING | {Op.ELEMENTWISE} and current.inputs:
        if current.function is not None:
            functions.append(current.function)
        current = flow.nodes[current.inputs[0]]
    path = parameter_path(flow.graph, current) if current.op is Op.PARAMETER else None
    name = None if path is None else flow.graph.parameter(path).path
    if name is None or name not in inspection.values:
        return None
    rates = _wide(inspection.values[name])
    for function in reversed(functions):
        rates = np.asarray(function(rates))
    return name, rates, "computed_from" not in current.details


def _wide(value: np.ndarray) -> np.ndarray:
    return np.atleast_1d(np.asarray(value, dtype=np.float64))
