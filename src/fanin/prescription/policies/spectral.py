"""The policy "spectral": each weight by the largest singular value it should have.

An m × n matrix (n terms, m outputs) maps vectors with entries of size 1 to such vectors
if its spectral norm is √(m/n); so should be that of each step. A Gaussian matrix of std
σ has spectral norm σ(√n + √m), which gives σ = min(1, √(m/n))/√n; a step of SGD is of
rank one and gives the rate m/n, and one of Adam, whose entries are of one size, 1/n.

No base is needed: the rule speaks of each layer's own m and n, and the learning rates
are absolute (of square matrices 1 under SGD and 1/n under Adam). With a base they are
taken over the base's, as muP does.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError
from fanin.graph.fans import matrix_fans
from fanin.graph.roles import RoleKind
from fanin.prescription.policies.auto import decide as auto
from fanin.prescription.widening.transfer import is_drawn, with_rates, with_std
from fanin.prescription.widening.wide import wide
from fanin.schemes.options import is_positive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Parameter
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "spectral"
SUMMARY = "Weights and steps of spectral norm √(outputs/terms), from the shapes alone."
SOURCE = "Yang, Simon, Bernstein 2023, Parametrization 1 (arXiv 2310.17813)"


def decide(desk: Desk, *, gain: float | None = None) -> Mapping[str, Prescription]:
    """Decide every parameter by its sides.

    Args:
        desk: of the model.
        gain: times min(1, √(m/n))/√n; None for the one that "auto" gives the weight
            (√2 behind a ReLU, 1/√L at the end of a branch).

    Raises:
        ArgumentError: if the gain is no number above 0, or the base does not fit.
    """
    if gain is not None and not is_positive(gain):
        expected = "a number above 0"
        raise ArgumentError.of(argument="gain", received=gain, expected=expected)
    found = wide(desk, auto)
    done = {}
    for parameter in desk.graph.parameters:
        path = parameter.path
        m, n = sides(desk, parameter)
        growth = found.growths[path]
        if found.small is None:
            rates = 1.0 / n, m / n
        else:
            rates = 1.0 / growth.n_in, growth.n_out / growth.n_in
        done[path] = _sized(with_rates(found.own[path], *rates), m, n, gain)
    return done


def sides(desk: Desk, parameter: Parameter) -> tuple[float, float]:
    """Give the outputs m and the terms n; a vector has as many outputs, and one term.

    One number for all outputs has one of each. Of a table, whose input is one-hot, a
    row is the only term.
    """
    weight = desk.weights.get(parameter.path)
    if weight is None:
        return float(max(parameter.shape, default=1)), 1.0
    matrix = matrix_fans(parameter.shape, weight.roles)
    is_lookup = weight.roles.is_lookup
    if is_lookup and desk.roles[parameter.path].kind is RoleKind.TIED_EMBEDDING:
        return 1.0, matrix.n_out
    return matrix.n_out, 1.0 if is_lookup else matrix.n_in


def _sized(p: Prescription, m: float, n: float, gain: float | None) -> Prescription:
    if not is_drawn(p) or p.fan is None:
        return p
    narrower = min(1.0, sqrt(m / n))
    std = (p.std if gain is None else gain / sqrt(n)) * narrower
    reason = (
        f"Spectral norm √(m/n) for {m:.0f} outputs of {n:.0f} terms: "
        f"σ ∝ min(1, √(m/n))/√n"
        f"{', here with the gain of auto' if gain is None else ''}. {p.reason}"
    )
    return with_std(p, std, reason)
