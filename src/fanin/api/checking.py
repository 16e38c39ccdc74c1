"""check: decide before training what will not learn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fanin.api.settling import (
    Words,
    class_of,
    located,
    merged,
    places_for,
    settled,
)
from fanin.api.task import find_framework, has_input, make_task, with_example
from fanin.errors import ArgumentError
from fanin.graph.uncollected import uncollected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from fanin.frameworks.framework import Framework
    from fanin.graph.optimizer import OptimizerFacts
    from fanin.rules import Report


def check(  # noqa: PLR0913 (what is checked, how it will train, what is asked)
    model: object,
    batch: object = None,
    loss: str | Callable[[Any, Any], Any] | None = None,
    target: object = None,
    *,
    objective: Callable[[Any], Any] | None = None,
    optimizer: object = None,
    learning_rate: float | None = None,
    precision: str | None = None,
    factory: Callable[[], Any] | None = None,
    closure: bool = True,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
    ignores: Mapping[str, Sequence[str]] | None = None,
    baseline: str | Path | None = None,
    config: str | Path | Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Report:
    """Decide before training what in the model cannot learn, or will learn badly.

    Model, gradients, buffers, random state and mode are left exactly as they were.

    Args:
        model: a PyTorch module, a Keras model, a module of Flax NNX or Equinox, or a
            pair (apply, params), as it would go into training.
        batch: an array or tensor, a tuple of arguments, a dict of keywords, or
            callable(model) → output. None: standard normal numbers of a shape that
            the model accepts, and the report says so.
        loss: "mse", "cross_entropy", "binary_cross_entropy" (on logits), or
            callable(output, target) → scalar. None: rules about the first loss rest.
        target: what the loss compares the output with.
        objective: callable(model) → scalar, in place of batch, loss and target.
        optimizer: what will train it: an optimizer of the model's framework, or "sgd",
            "adam", "adamw". None: rules about the first update rest.
        learning_rate: of an optimizer given by name.
        precision: "float16" or "bfloat16": what mixed precision will compute in.
        factory: callable() → such a model, called once more to see who writes what.
        closure: False skips the search for what can never move, for twice the speed;
            rules that need it rest, and the coverage says so.
        select: codes of rules ("FAN101"), names, or beginnings ("FAN1"); None: all.
        ignore: the same, left out.
        ignores: pattern of parameters ("head.*") → codes not to report for them.
        baseline: a file of findings that are known, as ``fanin check
            --write-baseline`` makes it; they are set aside.
        config: a pyproject.toml or fanin.toml, or a table of the same words; arguments
            given here go before it. None: no file is read.
        seed: governs dropout while checking, and a synthetic batch.

    Returns:
        The report: ``.ok``, ``.verdict``, ``.findings``, each with the line that built
        its layer; ``.suppressed``: what comments (``# fanin: ignore[FAN101] reason`` on
        that line), patterns or the baseline set aside.

    Raises:
        ModelError: if the model cannot be run.
        BatchError: if the batch does not fit, or holds NaN or infinity.
        UnknownNameError: if a rule, a loss or a setting is not known; it names the
            nearest.
        ArgumentError: if the arguments contradict one another, or a file of settings
            or a baseline cannot be read.
    """
    from fanin.rules import inspect, judge
    from fanin.rules.asked import Asked
    from fanin.rules.inspection import Facts
    from fanin.rules.judge import chosen_rules
    from fanin.rules.profiling import profile_of

    words = Words(
        select=select,
        ignore=ignore,
        ignores=ignores,
        baseline=baseline,
        optimizer=optimizer,
        learning_rate=learning_rate,
        precision=precision,
    )
    settings, optimizer = merged(config, words)
    # A wrong word is refused before the model runs.
    chosen_rules(settings.select, settings.ignore)
    framework = find_framework(model)
    places = places_for(framework, model, factory)
    facts = Facts(
        optimizer=_optimizer(framework, model, optimizer, settings.learning_rate),
        precision=settings.precision,
        factory=factory,
        is_mentioned=places.is_mentioned,
        construction=None if factory is None else framework.construct(factory),
        closure=closure,
    )
    task = make_task(batch, loss, target, objective, seed)
    made = ""
    is_ready = all(p.storage == "ready" for p in framework.parameters(model))
    if is_ready and not has_input(task):
        task, _, made = with_example(framework, model, task, with_target=True)
    facts["made_up"] = made
    with uncollected():
        inspection = inspect(framework, model, task, **facts)
        report = judge(inspection, select=settings.select, ignore=settings.ignore)
        report = replace(
            report,
            framework=framework.NAME,
            target=class_of(model),
            profile=profile_of(inspection, (*report.findings, *report.consequences)),
        )
        report = settled(located(report, places), places, settings, class_of(model))
    return replace(
        report,
        asked=Asked(
            batch=batch,
            loss=loss,
            target=target,
            objective=objective,
            words={
                **vars(words),
                "optimizer": optimizer,
                "factory": factory,
                "closure": closure,
                "config": config,
                "seed": seed,
            },
        ),
    )


def _optimizer(
    framework: Framework, model: object, given: object, learning_rate: float | None
) -> OptimizerFacts | None:
    """Give what is known of the optimizer.

    Raises:
        ArgumentError: if it is none that fanin can read, or a learning rate comes
            without the name of an optimizer.
        UnknownNameError: if no optimizer has the name.
    """
    from fanin.graph.optimizer import OptimizerFacts, named

    if isinstance(given, str):
        return named(given, learning_rate)
    if learning_rate is not None:
        raise ArgumentError.of(
            argument="learning_rate",
            received=learning_rate,
            expected="given with the name of an optimizer (another has its own)",
        )
    if given is None or isinstance(given, OptimizerFacts):
        return given
    is_ready = all(p.storage == "ready" for p in framework.parameters(model))
    return framework.optimizer_facts(model, given) if is_ready else None
