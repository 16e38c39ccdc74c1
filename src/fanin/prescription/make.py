"""From a Graph to a Plan: every parameter gets a Prescription, or is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.errors import (
    ArgumentError,
    ContradictionError,
    NoStorageError,
    NothingToTrainError,
)
from fanin.prescription.arguments import require_seed, require_seeds, require_specs
from fanin.prescription.desk import Desk
from fanin.prescription.following import with_followers
from fanin.prescription.plan import Plan
from fanin.prescription.policies import find_policy, policy_of_scheme
from fanin.prescription.policies.auto import NAME as AUTO
from fanin.prescription.predicted import with_prediction
from fanin.prescription.recipes.unnormalized import orthogonal_where_unnormalized
from fanin.prescription.said import first_loss, notes, unread
from fanin.prescription.wishes import wishes_of
from fanin.prescription.write_down import WEIGHT_LAWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph
    from fanin.prescription.arguments import Patterns
    from fanin.prescription.evidence import Evidence
    from fanin.prescription.prescription import Prescription


def make_plan(  # noqa: PLR0913 (each is one wish a person has)
    graph: Graph,
    *,
    policy: str = "auto",
    scheme: str | None = None,
    seed: int = 0,
    seeds: Mapping[str, int] | None = None,
    overrides: Mapping[str, str] | None = None,
    only: Patterns | None = None,
    skip: Patterns | None = None,
    law: str | None = None,
    base: Graph | None = None,
    evidence: Evidence | None = None,
) -> Plan:
    """Decide the initial values of every parameter of a Graph.

    Args:
        graph: as recorded.
        policy: spec of a policy, which decides all parameters; see ``policies/``.
        scheme: spec for all weights ("he_normal"), with that scheme's own gain, in
            place of a policy; what is no weight is decided by "auto".
        seed: of all draws, 0 to 2⁶⁴ − 1.
        seeds: of single parameters, by path or pattern.
        overrides: spec of a scheme by parameter path or pattern ("blocks.*.weight"),
            for any parameter; "keep" leaves its values. The more specific pattern
            decides (``wishes.py``).
        only: patterns of the parameters to decide; all others keep their values.
        skip: patterns of parameters that keep their values.
        law: of the weights that are chosen: "normal", "uniform", "truncated_normal",
            or "orthogonal"; None leaves it to the policy.
        base: of a second, smaller model, for policies that scale with the width.
        evidence: inputs, target, loss, present values, as far as known.

    Raises:
        ArgumentError: if the seed, the law or a spec is not one.
        UnknownNameError: if there is no such scheme or policy.
        UnknownParameterError: if a pattern fits no parameter.
        ContradictionError: if the wishes cannot all be met.
        NothingToTrainError: if no parameter is trainable.
        NoStorageError: if a parameter is lazy, so that its shape is not known.

    >>> import numpy as np
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> z = sketch.dense(sketch.input((8, 50)), 32, path="0")
    >>> z = sketch.dense(sketch.apply(z, lambda x: np.maximum(x, 0)), 32, path="1")
    >>> z = sketch.dense(sketch.apply(z, lambda x: np.maximum(x, 0)), 10, path="2")
    >>> plan = make_plan(sketch.graph(z))
    >>> [plan[f"{i}.weight"].scheme.partition("(")[0] for i in range(3)]
    ['lecun_normal', 'he_normal', 'lecun_normal']
    """
    _require(graph, law=law)
    if scheme is not None and policy != "auto":
        clash = f"policy={policy!r} decides the weights, and so does scheme={scheme!r}."
        raise ContradictionError.of([clash])
    found = find_policy(policy) if scheme is None else policy_of_scheme(scheme)
    wishes = wishes_of(
        graph,
        overrides=require_specs(overrides or {}),
        seeds=require_seeds(seeds or {}),
        only=only,
        skip=skip,
    )
    desk = Desk(graph, law=law, evidence=evidence, base=base, wishes=wishes)
    decided = found.prescribe(desk)
    by_caller = _overridden(desk, decided)
    written = _whole(desk, decided) | by_caller
    fixed = {*decided, *by_caller}
    written = with_prediction(graph, written, desk.evidence, fixed=fixed)
    more: tuple[str, ...] = ()
    if found.name == AUTO:
        written, more = orthogonal_where_unnormalized(desk, written)
    written = with_followers(desk, written, fixed=by_caller)
    return Plan(
        prescriptions=_finished(desk, written, wishes.seeds),
        seed=require_seed("seed", seed),
        policy=found.spec,
        framework=graph.framework,
        warnings=(*unread(desk), *found.warn(desk)),
        notes=(*notes(desk), *more),
        first_loss=first_loss(desk, written),
    )


def _require(graph: Graph, *, law: str | None) -> None:
    if law is not None and law not in WEIGHT_LAWS:
        expected = f"one of {', '.join(WEIGHT_LAWS)}"
        raise ArgumentError.of(argument="law", received=law, expected=expected)
    if not any(parameter.is_trainable for parameter in graph.parameters):
        raise NothingToTrainError.of(len(graph.parameters))
    for parameter in graph.parameters:
        if parameter.storage == "lazy":
            raise NoStorageError.of(parameter.path, kind="lazy")


def _whole(desk: Desk, decided: Mapping[str, Prescription]) -> dict[str, Prescription]:
    """Fill up what the policy left out, and drop what it may not change.

    What is kept learns at the rate that the policy gives its shape.
    """
    return {
        p.path: decided[p.path]
        if p.path in decided and desk.is_open(p)
        else _at_rates(desk.prescribe(p), decided.get(p.path))
        for p in desk.graph.parameters
    }


def _at_rates(p: Prescription, decided: Prescription | None) -> Prescription:
    """Take over the learning rates that a policy has decided for the parameter."""
    if decided is None:
        return p
    return replace(
        p,
        learning_rate=decided.learning_rate,
        learning_rate_sgd=decided.learning_rate_sgd,
    )


def _overridden(
    desk: Desk, decided: Mapping[str, Prescription]
) -> dict[str, Prescription]:
    """Give what the caller has asked for by name or pattern, at the policy's rates."""
    return {
        path: _at_rates(replace(asked, is_asked=True), decided.get(path))
        for path, asked in desk.asked.items()
    }


def _finished(
    desk: Desk, written: Mapping[str, Prescription], seeds: Mapping[str, int]
) -> tuple[Prescription, ...]:
    """Write the seeds of single parameters down, and how each role was found."""
    return tuple(
        replace(p, seed=seeds.get(path, p.seed), evidence=desk.roles[path].evidence)
        for path, p in written.items()
    )
