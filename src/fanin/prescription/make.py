"""From a Graph to a Plan: every parameter gets a Prescription, or is left alone."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from fanin.errors import (
    ArgumentError,
    NoStorageError,
    NothingToTrainError,
    UnknownParameterError,
)
from fanin.graph.flow import Flow
from fanin.graph.roles import Role, RoleKind, roles
from fanin.prescription.choose import Chooser
from fanin.prescription.depth import depth_warnings
from fanin.prescription.evidence import Evidence, Target, describe_target
from fanin.prescription.fitted import norm_gain, weight_length
from fanin.prescription.plan import Plan
from fanin.prescription.policies import (
    BESIDE,
    CONSTANTS,
    FITTED,
    KEPT,
    SCALED,
    SUMMED,
)
from fanin.prescription.predicted import with_prediction
from fanin.prescription.write_down import (
    WEIGHT_LAWS,
    by_scheme,
    chosen,
    constant,
    kept,
    listed,
)
from fanin.theory.given import Given

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph, Parameter, Weight
    from fanin.prescription.prescription import Prescription

LARGEST_SEED = 2**64 - 1


def make_plan(
    graph: Graph,
    *,
    scheme: str | None = None,
    seed: int = 0,
    overrides: Mapping[str, str] | None = None,
    law: str = "normal",
    evidence: Evidence | None = None,
) -> Plan:
    """Decide the initial values of every parameter of a Graph.

    Args:
        graph: as recorded.
        scheme: spec for all weights ("he_normal"), with that scheme's own gain; None
            for the policy "auto", which decides by role (``choose.py``).
        seed: of all draws, 0 to 2⁶⁴ − 1.
        overrides: spec by parameter path or pattern (``"blocks.*.weight"``), for any
            parameter; "keep" leaves its values. The last pattern that fits wins.
        law: of the weights under "auto": "normal", "uniform", "truncated_normal", or
            "orthogonal".
        evidence: inputs, target, loss, present values, as far as known.

    Raises:
        ArgumentError: if the seed, the law or a spec is not one.
        UnknownNameError: if there is no such scheme.
        UnknownParameterError: if a pattern fits no parameter.
        NothingToTrainError: if no parameter is trainable.
        NoStorageError: if a parameter is lazy, so that its shape is not known.

    >>> import numpy as np
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> z = sketch.dense(sketch.input((8, 50)), 32, path="0")
    >>> z = sketch.dense(sketch.apply(z, lambda x: np.maximum(x, 0)), 32, path="1")
    >>> z = sketch.dense(sketch.apply(z, lambda x: np.maximum(x, 0)), 10, path="2")
    >>> plan = make_plan(sketch.graph(z))
    >>> [p.scheme for p in plan.prescriptions if p.path.endswith("weight")]
    ['lecun_normal', 'he_normal', 'lecun_normal(gain=0.1414)']
    """
    _require(graph, seed=seed, law=law)
    evidence = evidence or Evidence()
    desk = Desk(graph, law=law, scheme=scheme, evidence=evidence)
    written = {p.path: desk.prescribe(p) for p in graph.parameters}
    by_caller = _overridden(desk, overrides or {})
    spread = desk.target.spread if scheme is None else None
    written = with_prediction(graph, written | by_caller, evidence, spread=spread)
    written = desk.with_lengths(written, fixed=by_caller)
    return Plan(
        prescriptions=tuple(written.values()),
        seed=seed,
        policy="auto" if scheme is None else scheme,
        framework=graph.framework,
        warnings=() if scheme else depth_warnings(desk.flow, desk.chooser.families),
        notes=desk.notes(),
        first_loss=desk.first_loss(written),
    )


class Desk:
    """All that is known while prescriptions are written, gathered once."""

    def __init__(
        self, graph: Graph, *, law: str, scheme: str | None, evidence: Evidence
    ) -> None:
        self.graph = graph
        self.flow = Flow(graph)
        self.law = law
        self.scheme = scheme
        self.evidence = evidence
        self.roles: Mapping[str, Role] = roles(graph)
        self.weights: dict[str, Weight] = {}
        for node in reversed(graph.linears):
            if node.weight is not None:
                self.weights[graph.parameter(node.weight.path).path] = node.weight
        given = Given(
            variances=dict.fromkeys((p.path for p in graph.parameters), 0.0),
            inputs=evidence.inputs,
        )
        self.chooser = Chooser(graph, given, self.roles)
        self.chooser.run()
        self.n_outputs = self._n_outputs()
        self.target = (
            describe_target(evidence, self.n_outputs) if self.n_outputs else Target()
        )

    def _n_outputs(self) -> int:
        """Count the units of the only head; 0 where there is none or several."""
        heads = {
            role.node for role in self.roles.values() if role.kind is RoleKind.HEAD
        }
        if len(heads) != 1:
            return 0
        node = self.flow.nodes[next(iter(heads)) or 0]
        return 0 if node.unit_axis is None else node.shape[node.unit_axis]

    def prescribe(self, parameter: Parameter) -> Prescription:
        """Write down what one parameter gets."""
        role = self.roles[parameter.path]
        if not parameter.is_trainable:
            return kept(parameter, role, "Frozen: its present values stay.")
        if parameter.path in self.weights and role.kind in SCALED | SUMMED:
            return self._weight(parameter, role)
        if role.kind is RoleKind.HEAD_BIAS and self.target.bias:
            return self._head_bias(parameter, role)
        return self._value(parameter, role)

    def _value(self, parameter: Parameter, role: Role) -> Prescription:
        """Write down what a parameter gets that is not the weight of a linear node."""
        if role.kind in FITTED:
            return self._fitted(parameter, role)
        if role.kind in CONSTANTS:
            value, reason = CONSTANTS[role.kind]
            return constant(parameter, role, value, reason)
        if role.kind in SUMMED:
            return self._table(parameter, role)
        if role.kind in BESIDE:
            reason = f"{BESIDE[role.kind]}: as large as those, rms 1."
            return by_scheme(parameter, role, "normal(std=1)", None, reason)
        return kept(parameter, role, _kept_because(role))

    def _weight(self, parameter: Parameter, role: Role) -> Prescription:
        weight = self.weights[parameter.path]
        if self.scheme is not None:
            reason = f"{self.scheme} was asked for on all weights."
            return by_scheme(parameter, role, self.scheme, weight, reason)
        choice = self.chooser.choices[parameter.path]
        law = "orthogonal" if role.kind is RoleKind.RECURRENT else self.law
        return chosen(parameter, role, weight, choice, law)

    def _head_bias(self, parameter: Parameter, role: Role) -> Prescription:
        if parameter.size != len(self.target.bias):
            return constant(parameter, role, 0.0, "Starts at 0.")
        reason = f"Starts at {self.target.text}."
        return listed(parameter, role, self.target.bias, reason)

    def _table(self, parameter: Parameter, role: Role) -> Prescription:
        spec = f"normal(std={role.n_summed**-0.5:.6g})"
        reason = f"{role.n_summed} tensors are added here, so 1/√{role.n_summed} each."
        return by_scheme(parameter, role, spec, None, reason)

    def _fitted(self, parameter: Parameter, role: Role) -> Prescription:
        """Write down a number that depends on the node that uses the parameter."""
        node = None if role.node is None else self.flow.nodes[role.node]
        if role.kind is RoleKind.NORM_GAIN:
            return norm_gain(parameter, role, node)
        return kept(parameter, role, "Kept, as the weight is whose length it sets.")

    def with_lengths(
        self, written: Mapping[str, Prescription], *, fixed: Mapping[str, Prescription]
    ) -> dict[str, Prescription]:
        """Give the plan with lengths that fit the stds which were decided last."""
        done = dict(written)
        for path, role in self.roles.items():
            node = None if role.node is None else self.flow.nodes[role.node]
            is_open = role.kind is RoleKind.WEIGHT_LENGTH and path not in fixed
            if is_open and node and node.weight:
                parameter = self.graph.parameter(path)
                weight = done[self.graph.parameter(node.weight.path).path]
                if parameter.is_trainable and weight.std > 0.0:
                    done[path] = weight_length(parameter, role, weight)
        return done

    def notes(self) -> tuple[str, ...]:
        """Say what was left alone or assumed, in sentences."""
        nodes = self.chooser.notes
        names = sorted(
            {
                self.flow.nodes[i].path or f"node {i}"
                for i in nodes
                if self.flow.nodes[i].op.value in {"contract", "opaque"}
            }
        )
        found = []
        if names:
            shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
            found.append(
                f"Not predicted at {shown}: its output is taken as of rms 1. Give a "
                "batch, and the scale there is measured."
            )
        if self.evidence.target is not None:
            found.append(f"Head bias: {self.target.text}.")
        return tuple(found)

    def first_loss(self, written: Mapping[str, Prescription]) -> float | None:
        """Give the loss expected before training: the ignorant predictor's, and a bit.

        Logits of variance s² add s²/2·(1 − Σp²) to cross-entropy, s²/2·p(1 − p) to
        binary cross-entropy (second order, at even classes where no target is known)
        and s² to the squared error.
        """
        heads = [p for p in written.values() if p.role == RoleKind.HEAD]
        if self.target.loss is None or len(heads) != 1 or heads[0].predicted is None:
            return None
        spread = heads[0].predicted ** 2
        share = {
            "cross_entropy": (1 - 1 / max(self.n_outputs, 1)) / 2,
            "binary_cross_entropy": 1 / 8,
            "mse": 1.0,
        }
        return self.target.loss + share.get(self.evidence.loss or "", 0.0) * spread


def _kept_because(role: Role) -> str:
    """Say why a parameter is left alone, and how it is read if that is not known."""
    reason = KEPT.get(role.kind, "Kept: no weight of a linear operation")
    return reason if reason.endswith(".") else f"{reason}: {role.evidence}."


def _require(graph: Graph, *, seed: int, law: str) -> None:
    if isinstance(seed, bool) or not 0 <= seed <= LARGEST_SEED:
        expected = "a whole number from 0 to 2⁶⁴−1"
        raise ArgumentError.of(argument="seed", received=seed, expected=expected)
    if law not in WEIGHT_LAWS:
        expected = f"one of {', '.join(WEIGHT_LAWS)}"
        raise ArgumentError.of(argument="law", received=law, expected=expected)
    if not any(parameter.is_trainable for parameter in graph.parameters):
        raise NothingToTrainError.of(len(graph.parameters))
    for parameter in graph.parameters:
        if parameter.storage == "lazy":
            raise NoStorageError.of(parameter.path, kind="lazy")


def _overridden(desk: Desk, overrides: Mapping[str, str]) -> dict[str, Prescription]:
    """Apply the caller's patterns, in order."""
    found: dict[str, Prescription] = {}
    for pattern, spec in overrides.items():
        fitting = [p for p in desk.graph.parameters if _fits(p, pattern)]
        if not fitting:
            known = [parameter.path for parameter in desk.graph.parameters]
            raise UnknownParameterError.of(pattern, known)
        for parameter in fitting:
            found[parameter.path] = by_scheme(
                parameter,
                desk.roles[parameter.path],
                spec,
                desk.weights.get(parameter.path),
                f"{spec} was asked for on {pattern!r}.",
            )
    return found


def _fits(parameter: Parameter, pattern: str) -> bool:
    names = (parameter.path, *parameter.aliases)
    return any(name == pattern or fnmatchcase(name, pattern) for name in names)
