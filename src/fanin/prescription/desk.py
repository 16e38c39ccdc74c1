"""The desk at which prescriptions are written: all that is known, gathered once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.flow import Flow
from fanin.graph.roles import Role, RoleKind, roles
from fanin.prescription.by_role import by_role
from fanin.prescription.choosing.choose import Chooser
from fanin.prescription.evidence import Evidence, Target, describe_target
from fanin.prescription.tables import KEPT
from fanin.prescription.write_down import by_scheme
from fanin.theory.given import Given
from fanin.theory.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph, Parameter, Weight
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.wishes import Wishes


class Desk:
    """All that a policy may look at.

    graph, flow: of the model. roles: by path. weights: each weight as its first linear
    node uses it, by path. law: asked for all weights; None where the policy chooses.
    evidence: inputs, target, loss, present values. base: a second, smaller model, or
    None. left: parameters that the caller wants left alone, with the reason; asked:
    what the caller wants of others by name or pattern, which the walk counts with.
    chooser: the walk of the policy "auto"; its ``choices`` are by path. n_outputs:
    units of the only head, 0 where there is none or several. target: what an ignorant
    predictor knows.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        law: str | None = None,
        evidence: Evidence | None = None,
        base: Graph | None = None,
        wishes: Wishes | None = None,
    ) -> None:
        self.graph = graph
        self.flow = Flow(graph)
        self.law = law
        self.evidence = evidence or Evidence()
        self.base = base
        self.left = {} if wishes is None else wishes.left
        self.roles: Mapping[str, Role] = roles(graph)
        self.weights: dict[str, Weight] = {}
        for node in reversed(graph.linears):
            if node.weight is not None:
                self.weights[graph.parameter(node.weight.path).path] = node.weight
        self.asked = {} if wishes is None else self._asked(wishes)
        given = self._given()
        self.chooser = Chooser(
            graph,
            given,
            self.roles,
            law=law,
            kept=frozenset(given.means),
            fixed=frozenset((*self.left, *self.asked)),
        )
        self.chooser.run()
        self.n_outputs = self._n_outputs()
        self.target = (
            describe_target(self.evidence, self.n_outputs)
            if self.n_outputs
            else Target()
        )

    def is_open(self, parameter: Parameter) -> bool:
        """Say whether a parameter may be changed: neither frozen nor left alone."""
        return parameter.is_trainable and parameter.path not in self.left

    def prescribe(self, parameter: Parameter) -> Prescription:
        """Write down what one parameter gets under the policy "auto"."""
        return by_role(self, parameter)

    def _asked(self, wishes: Wishes) -> dict[str, Prescription]:
        """Write down what the caller has asked for by name or pattern."""
        return {
            path: by_scheme(
                self.graph.parameter(path),
                self.roles[path],
                wish.value,
                self.weights.get(path),
                f"{wish.value} was asked for on {wish.pattern!r}.",
            )
            for path, wish in wishes.specs.items()
        }

    def _given(self) -> Given:
        """Give the walk the inputs, and the moments of what "auto" does not draw."""
        variances = dict.fromkeys((p.path for p in self.graph.parameters), 0.0)
        means: dict[str, float] = {}
        for parameter in self.graph.parameters:
            known = None if self._is_drawn(parameter) else self._known(parameter)
            if known is None:
                continue
            for name in (parameter.path, *parameter.aliases):
                variances[name], means[name] = known.variance, known.mean
        return Given(variances=variances, means=means, inputs=self.evidence.inputs)

    def _known(self, parameter: Parameter) -> Moments | None:
        """Give the moments of a parameter as the caller asks for it, or as it is."""
        asked = self.asked.get(parameter.path)
        if asked is None or asked.is_kept:
            return self.evidence.present(parameter.path)
        square = asked.value**2 + asked.variance
        return Moments(mean=asked.value, second_moment=square)

    def _is_drawn(self, parameter: Parameter) -> bool:
        """Say whether a parameter gets new values: by its role, by the caller."""
        is_kept = self.roles[parameter.path].kind in KEPT
        is_free = not is_kept and parameter.path not in self.asked
        return self.is_open(parameter) and is_free

    def _n_outputs(self) -> int:
        """Count the units of the only head; 0 where there is none or several."""
        heads = {
            role.node for role in self.roles.values() if role.kind is RoleKind.HEAD
        }
        if len(heads) != 1:
            return 0
        node = self.flow.nodes[next(iter(heads)) or 0]
        return 0 if node.unit_axis is None else node.shape[node.unit_axis]
