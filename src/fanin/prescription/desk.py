"""The desk at which prescriptions are written: all that is known, gathered once."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from fanin.graph.flow import Flow
from fanin.graph.roles import Role, RoleKind, roles
from fanin.prescription.by_role import by_role
from fanin.prescription.choose import Chooser
from fanin.prescription.evidence import Evidence, Target, describe_target
from fanin.theory.given import Given

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph, Parameter, Weight
    from fanin.prescription.prescription import Prescription

NOTHING: Mapping[str, str] = MappingProxyType({})


class Desk:
    """All that a policy may look at.

    graph, flow: of the model. roles: by path. weights: each weight as its first linear
    node uses it, by path. law: asked for all weights; None where the policy chooses.
    evidence: inputs, target, loss, present values. base: a second, smaller model, or
    None. left: parameters that the caller wants left alone, with the reason. chooser:
    the walk of the policy "auto"; its ``choices`` are by path. n_outputs: units of the
    only head, 0 where there is none or several. target: what an ignorant predictor
    knows.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        law: str | None = None,
        evidence: Evidence | None = None,
        base: Graph | None = None,
        left: Mapping[str, str] = NOTHING,
    ) -> None:
        self.graph = graph
        self.flow = Flow(graph)
        self.law = law
        self.evidence = evidence or Evidence()
        self.base = base
        self.left = left
        self.roles: Mapping[str, Role] = roles(graph)
        self.weights: dict[str, Weight] = {}
        for node in reversed(graph.linears):
            if node.weight is not None:
                self.weights[graph.parameter(node.weight.path).path] = node.weight
        given = self._given()
        self.chooser = Chooser(
            graph, given, self.roles, law=law, kept=frozenset(given.means)
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

    def _given(self) -> Given:
        """Give the walk the inputs, and the moments of what keeps its values."""
        variances = dict.fromkeys((p.path for p in self.graph.parameters), 0.0)
        means: dict[str, float] = {}
        for parameter in self.graph.parameters:
            if self.is_open(parameter):
                continue
            present = self.evidence.present(parameter.path)
            if present is None:
                continue
            for name in (parameter.path, *parameter.aliases):
                variances[name], means[name] = present.variance, present.mean
        return Given(variances=variances, means=means, inputs=self.evidence.inputs)

    def _n_outputs(self) -> int:
        """Count the units of the only head; 0 where there is none or several."""
        heads = {
            role.node for role in self.roles.values() if role.kind is RoleKind.HEAD
        }
        if len(heads) != 1:
            return 0
        node = self.flow.nodes[next(iter(heads)) or 0]
        return 0 if node.unit_axis is None else node.shape[node.unit_axis]
