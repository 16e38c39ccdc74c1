"""SIREN: networks of sines, sin(ω·z), with weights that keep every z's spectrum.

The first layer U(±1/n); every other one U(±√(6/n)/ω), so that ω·z is a standard normal
and its sine arcsine-distributed at every depth; ω is read from the model, the factor in
the sine that follows (or, for the last layer, in the sine it reads). Biases U(±1/√n),
as the authors' code leaves them: with biases 0 the whole net is an odd function. Only
layers at sines are decided; all else is as under "auto".
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.roles import RoleKind
from fanin.prescription.recipes.drawn import drawn, open_weights, std_of
from fanin.prescription.recipes.sines import sine_frequency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Weight
    from fanin.graph.roles import Role
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "siren"
SUMMARY = "Sine layers: the first U(±1/n), the others U(±√(6/n)/ω), ω from the model."
SOURCE = (
    "Sitzmann et al. 2020, arXiv 2006.09661, section 3.2 and supplement, theorem 1.8"
)


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide the weights and biases of layers before a sine, and of the one after."""
    return at_sines(desk, above=0.0)


def at_sines(desk: Desk, *, above: float) -> dict[str, Prescription]:
    """Decide the layers at sines whose frequency ω is larger than ``above``."""
    written: dict[str, Prescription] = {}
    for parameter, role, weight in open_weights(desk):
        frequency = _frequency(desk, role) or 0.0
        if frequency > above and not weight.roles.is_lookup:
            bound = first_bound(weight.fan.n_in)
            reason = "First layer of sines: U(±1/n)."
            if role.kind is not RoleKind.INPUT_LAYER:
                bound = hidden_bound(weight.fan.n_in, frequency)
                reason = f"Layer of sines: U(±√(6/n)/ω), ω = {frequency:.4g}."
            written[parameter.path] = drawn(
                desk, parameter, std_of(bound), reason, law="uniform"
            )
            written |= _bias(desk, role, weight)
    return written


def warnings(desk: Desk) -> tuple[str, ...]:
    """Say if there is no sine."""
    functions = (n.function for n in desk.graph.nodes if n.function is not None)
    if any(sine_frequency(function) is not None for function in functions):
        return ()
    return ("SIREN: the model has no activation sin(ω·z), so nothing is decided.",)


def _frequency(desk: Desk, role: Role) -> float | None:
    """Give ω of the sine that follows, or else of the one that is read."""
    for node_id in (role.activation, role.origin):
        function = None if node_id is None else desk.flow.nodes[node_id].function
        frequency = None if function is None else sine_frequency(function)
        if frequency is not None:
            return frequency
    return None


def _bias(desk: Desk, role: Role, weight: Weight) -> dict[str, Prescription]:
    node = None if role.node is None else desk.flow.nodes[role.node]
    if node is None or node.bias is None:
        return {}
    parameter = desk.graph.parameter(node.bias)
    is_prior = role.kind is RoleKind.HEAD and bool(desk.target.bias)
    if is_prior or not desk.is_open(parameter):
        return {}
    bound = 1.0 / sqrt(weight.fan.n_in)
    reason = "Bias of a layer of sines: U(±1/√n)."
    std = std_of(bound)
    return {parameter.path: drawn(desk, parameter, std, reason, law="uniform")}


def first_bound(n_in: float) -> float:
    """1/n (Sitzmann et al. 2020, section 3.2).

    >>> first_bound(4.0)
    0.25
    """
    return 1.0 / n_in


def hidden_bound(n_in: float, frequency: float) -> float:
    """√(6/n)/ω (the same place).

    >>> hidden_bound(24.0, 5.0)
    0.1
    """
    return sqrt(6.0 / n_in) / frequency
