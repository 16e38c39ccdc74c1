"""The activations of a graph that are treated, and what that makes of the weights."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import ArgumentError
from fanin.graph.flow import Flow
from fanin.prescription.choosing.chains import Chains, Place
from fanin.prescription.choosing.choices import Choice, Offset, scaled
from fanin.prescription.choosing.families import Family
from fanin.prescription.choosing.isometry import Kind, Treatment, failing, rms_of, treat
from fanin.prescription.choosing.seen import as_seen
from fanin.theory.mirroring import PROBES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph, Node, ScalarFunction
    from fanin.graph.roles import Role
    from fanin.theory.moments import Moments

AIMS = {
    Kind.AS_IT_IS: "",
    Kind.MIRRORED: " and units stand in pairs z and −z, which makes what is read odd "
    "(Balduzzi et al. 2017, section 4)",
    Kind.CENTRED: " and biases centre what their layers read",
}
LEAST_LAYERS = 2
"""Below two activations nothing adds up."""


class Treated:
    """What is done in the deep plain chains of one graph; nothing where a law is asked.

    graph: with each treated activation replaced by what its readers see of it. by_node:
    treatments by the activation's id; written, read: by the id of the linear node that
    writes to one, or reads one.
    """

    def __init__(
        self,
        graph: Graph,
        roles: Mapping[str, Role],
        *,
        kept: frozenset[str],
        law: str | None,
    ) -> None:
        chains = Chains(Flow(graph), roles, kept)
        places = chains.places if law is None else ()
        self.by_node: dict[int, Treatment] = {}
        self.written: dict[int, Treatment] = {}
        self.read: dict[int, Treatment] = {}
        known = _Known()
        for place in places:
            found = known.treatment(chains, place)
            if found is not None:
                self.by_node[place.node.id] = found
                self.written[place.writer.id] = found
                self.read |= dict.fromkeys((r.id for r in place.readers), found)
        self.graph = as_seen(graph, {i: t.function for i, t in self.by_node.items()})

    def family(self, node: Node) -> Family | None:
        """Describe a treated activation as others are."""
        found = self.by_node.get(node.id)
        if found is None:
            return None
        gain = sqrt(found.centre.weight_variance)
        reason = (
            f"Reads {_because(found)} Gain {gain:.4g} keeps pre-activations at rms "
            f"{rms_of(found):.3g}."
        )
        return Family(
            name=found.name,
            scheme="lecun",
            gain=gain,
            growth=found.centre.growth,
            slope=found.slope,
            reason=reason,
            hindrance=found.hindrance,
        )

    def choice(self, node: Node, x: Moments, choice: Choice) -> Choice:
        """Give what a weight in a chain gets in place of the textbook's choice."""
        written, read = self.written.get(node.id), self.read.get(node.id)
        if written is None and read is None:
            return choice
        found = choice
        if written is not None:
            target = rms_of(written)
            reason = choice.reason
            if read is None:
                reason = f"{reason} Feeds {_because(written)}"
            found = scaled(node, "lecun", target / x.rms, x, reason, choice.family)
        return replace(found, law="orthogonal", mirrored=_axes(node, written, read))

    def offsets(self, node: Node) -> dict[str, Offset]:
        """Give the bias of a linear node that reads a centred activation."""
        read = self.read.get(node.id)
        if read is None or read.kind is not Kind.CENTRED or node.weight is None:
            return {}
        bias = self.graph.parameter(node.bias or "").path
        c = read.centre.offset
        reason = (
            f"Centres what its layer reads: {read.name} gives {c:.4g} on average, and "
            f"the bias takes {c:.4g} times the row's sum off."
        )
        weight = self.graph.parameter(node.weight.path).path
        return {bias: Offset(weight=weight, value=c, reason=reason)}


class _Known:
    """Treatments found already: most layers of a net have one activation."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[object, ...], str] = {}
        self._found: dict[tuple[object, ...], Treatment] = {}

    def treatment(self, chains: Chains, place: Place) -> Treatment | None:
        """Give the treatment of an activation, None where the textbook's answer stands.

        The surroundings are looked at only where it does not.
        """
        function, n_layers = place.node.function, place.n_layers
        if function is None or n_layers < LEAST_LAYERS:
            return None
        key = (values_of(function), n_layers)
        if key not in self._reasons:
            self._reasons[key] = _failing(function, n_layers)
        reason = self._reasons[key]
        if not reason:
            return None
        allowed = (chains.can_mirror(place), chains.can_centre(place))
        if (*key, *allowed) not in self._found:
            self._found[*key, *allowed] = treat(
                function,
                n_layers,
                reason,
                can_mirror=allowed[0],
                can_centre=allowed[1],
            )
        return self._found[*key, *allowed]


def _failing(function: ScalarFunction, n_layers: int) -> str:
    """Say what independent weights lose; nothing of a function that has no moments."""
    try:
        return failing(function, n_layers)
    except (ArgumentError, OverflowError):
        return ""


def values_of(function: ScalarFunction) -> bytes:
    """Give what tells two functions apart: their values."""
    with np.errstate(all="ignore"):
        return bytes(
            np.asarray(function(np.concatenate([-PROBES, PROBES])), np.float64)
        )


def _because(treatment: Treatment) -> str:
    """Name an activation, and say why weights around it are not independent."""
    what = f"{treatment.name}. {treatment.reason}"
    return f"{what}; so weights are orthogonal{AIMS[treatment.kind]}."


def _axes(
    node: Node, written: Treatment | None, read: Treatment | None
) -> tuple[int, ...]:
    """Give the axes of a weight on which units stand in pairs."""
    if node.weight is None:
        return ()
    roles = node.weight.roles
    out = written is not None and written.kind is Kind.MIRRORED
    into = read is not None and read.kind is Kind.MIRRORED
    return (*(roles.outputs if out else ()), *(roles.inputs if into else ()))
