"""plan and init: decide, verify, and write the initial weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.api.applying import apply
from fanin.api.sharing import as_one, require_one_batch
from fanin.api.task import find_framework, has_input, make_task, with_example
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.frameworks.framework import Framework
    from fanin.graph import Graph, Task
    from fanin.prescription import Evidence, Plan


def plan(  # noqa: PLR0913 (each is one wish a person has)
    model: object,
    batch: object = None,
    loss: str | Callable[[Any, Any], Any] | None = None,
    target: object = None,
    *,
    objective: Callable[[Any], Any] | None = None,
    policy: str = "auto",
    scheme: str | None = None,
    overrides: Mapping[str, str] | None = None,
    only: str | Sequence[str] | None = None,
    skip: str | Sequence[str] | None = None,
    base: object = None,
    law: str | None = None,
    seed: int | None = None,
    seeds: Mapping[str, int] | None = None,
) -> Plan:
    """Choose a scheme and a scale for each parameter, and say why; change nothing.

    Args:
        model: a PyTorch module, a Keras model, a module of Flax NNX or Equinox, or a
            pair (apply, params) with apply(params, x) → output.
        batch: as in `check`. With one, the scales are measured and corrected in one
            forward pass; without, or for a model on the meta device, predicted.
        loss: as in `check`.
        target: as in `check`; class frequencies or a mean set the output bias.
        objective: as in `check`.
        policy: who decides: "auto" (by role, depth and activation; the default), or a
            published recipe, such as "gpt2", "fixup", "deepnorm", "mup", "lsuv",
            "torch", "keras" (docs/policies.md lists them).
        scheme: one scheme for every weight ("he_normal"), in place of a policy.
        overrides: pattern of paths ("head.*") → scheme, or "keep". The pattern that
            says more wins: a path over a pattern, "blocks.0.*" over "*".
        only: patterns of the parameters to decide; all others keep their values, as
            when a new head is set on a trained body.
        skip: patterns of parameters that keep their values.
        base: for "mup", a smaller model of the same architecture, from which is read
            what grows with width.
        law: of all weights: "normal", "uniform", "truncated_normal" or "orthogonal";
            None leaves it to the policy.
        seed: of the numbers, 0 to 2⁶⁴ − 1; None takes one from the framework's own
            global generator, and the plan records it.
        seeds: pattern of paths → a seed of its own.

    Raises:
        ModelError: if the model cannot be run.
        BatchError: if the batch does not fit, or holds NaN or infinity.
        UnknownNameError: if a policy, a scheme or a loss is not known.
        UnknownParameterError: if a pattern fits no parameter.
        ArgumentError: if another argument is wrong, or two contradict each other.
    """
    framework = find_framework(model)
    task = make_task(batch, loss, target, objective, 0)
    wishes: dict[str, Any] = {
        "policy": policy,
        "scheme": scheme,
        "overrides": overrides,
        "only": only,
        "skip": skip,
        "law": law,
        "seeds": seeds,
    }
    if not has_input(task):
        task, graph, words = with_example(framework, model, task)
        wishes["base"] = _recorded(framework, base, task)
        made = _decide(framework, model, graph, task, seed, wishes)
        note = f"No batch was given: scales are predicted for {words}, not measured."
        return replace(made, notes=(*made.notes, note))
    require_one_batch(framework, model, batch)
    graph = framework.record(model, task)
    wishes["base"] = _recorded(framework, base, task)
    made = _decide(framework, model, graph, task, seed, wishes)
    if not _is_ready(graph):
        note = (
            "The model has parameters without memory (on the meta device): scales are "
            "predicted, not measured."
        )
        return replace(made, notes=(*made.notes, note))
    return as_one(framework, model, _calibrated(framework, model, graph, task, made))


def init(  # noqa: PLR0913 (as plan)
    model: object,
    batch: object = None,
    loss: str | Callable[[Any, Any], Any] | None = None,
    target: object = None,
    *,
    objective: Callable[[Any], Any] | None = None,
    policy: str = "auto",
    scheme: str | None = None,
    overrides: Mapping[str, str] | None = None,
    only: str | Sequence[str] | None = None,
    skip: str | Sequence[str] | None = None,
    base: object = None,
    law: str | None = None,
    seed: int | None = None,
    seeds: Mapping[str, int] | None = None,
    device: object = None,
) -> Plan:
    """Plan, verify, and write the initial weights: all parameters, or none.

    Args:
        model: as in `plan`; changed in place. Equinox modules and pairs cannot be:
            for them write ``plan = fanin.plan(model, batch)`` and
            ``model = fanin.apply(plan, model)``. A PyTorch model on the meta device
            gets memory; of one that is spread over processes (``fully_shard``,
            ``parallelize_module``) each draws its own shards.
        batch: as in `plan`.
        loss: as in `plan`.
        target: as in `plan`.
        objective: as in `plan`.
        policy: as in `plan`.
        scheme: as in `plan`.
        overrides: as in `plan`.
        only: as in `plan`.
        skip: as in `plan`.
        base: as in `plan`.
        law: as in `plan`.
        seed: as in `plan`.
        seeds: as in `plan`.
        device: as in `apply`.

    Returns:
        The plan that was applied, with what was measured.

    Raises:
        ArgumentError: if the model cannot be changed in place.
        FaninError: any error of `plan`; the model is then as it was.
    """
    _require_mutable(model)
    made = plan(
        model,
        batch,
        loss,
        target,
        objective=objective,
        policy=policy,
        scheme=scheme,
        overrides=overrides,
        only=only,
        skip=skip,
        base=base,
        law=law,
        seed=seed,
        seeds=seeds,
    )
    apply(made, model, device=device)
    return made


def _require_mutable(model: object) -> None:
    from fanin.frameworks.find import is_immutable

    if is_immutable(model):
        expected = (
            "a model that can be changed in place, which Equinox modules and pairs "
            "(apply, params) cannot. Write: plan = fanin.plan(model, batch); "
            "model = fanin.apply(plan, model)"
        )
        received = type(model).__name__
        raise ArgumentError.of(argument="model", received=received, expected=expected)


def _decide(
    framework: Framework,
    model: object,
    graph: Graph,
    task: Task,
    seed: int | None,
    wishes: Mapping[str, Any],
) -> Plan:
    from fanin.prescription import make_plan

    return make_plan(
        graph,
        evidence=_evidence(framework, model, graph, task),
        seed=framework.seed(model) if seed is None else seed,
        **wishes,
    )


def _recorded(framework: Framework, base: object, task: Task) -> Graph | None:
    """Record the smaller model on the same batch.

    Raises:
        ArgumentError: if it is of another framework.
    """
    if base is None:
        return None
    other = find_framework(base)
    if other.NAME != framework.NAME:
        expected = f"a smaller model of the same framework, {framework.NAME}"
        raise ArgumentError.of(argument="base", received=other.NAME, expected=expected)
    return framework.record(base, task)


def _is_ready(graph: Graph) -> bool:
    return all(parameter.storage == "ready" for parameter in graph.parameters)


def _evidence(
    framework: Framework, model: object, graph: Graph, task: Task
) -> Evidence:
    """Gather what is known beside the graph: the input's scale, the target, values."""
    from fanin.prescription import Evidence, inputs_of

    is_ready = _is_ready(graph)
    return Evidence(
        inputs=inputs_of(graph),
        target=None if task.target is None else np.asarray(task.target),
        loss=task.loss if isinstance(task.loss, str) else None,
        values=framework.view(model) if is_ready else {},
    )


def _calibrated(
    framework: Framework, model: object, graph: Graph, task: Task, made: Plan
) -> Plan:
    """Correct the scales in one forward pass, then measure what they give."""
    from fanin.prescription import calibration_aims, with_calibration

    aims = calibration_aims(made, graph)
    found = framework.calibrate(model, task, _drawn(framework, model, made), aims)
    made = with_calibration(made, found, graph)
    measured = framework.measure(model, task, _drawn(framework, model, made))
    return made.verified(measured)


def _drawn(framework: Framework, model: object, made: Plan) -> dict[str, np.ndarray]:
    """Draw all that the plan draws; what it keeps is left to the model."""
    kept = framework.view(model) if made.kept_weights else {}
    return {path: draw(None) for path, draw in made.draws(kept).items()}
