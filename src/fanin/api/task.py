"""The model's framework, and the batch and objective that it is run on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fanin.errors import ArgumentError, BatchError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.frameworks.framework import Framework
    from fanin.graph import Graph, Task


def find_framework(model: object) -> Framework:
    """Give the framework whose model this is.

    Raises:
        ArgumentError: if no framework owns it; it says what was expected.
    """
    from fanin.frameworks.find import find

    return find(model)


def make_task(
    batch: object,
    loss: str | Callable[[Any, Any], Any] | None,
    target: object,
    objective: Callable[[Any], Any] | None,
    seed: int,
) -> Task:
    """Put the caller's words together, and refuse combinations that say two things.

    Raises:
        ArgumentError: if an objective comes with a batch or a loss, or a named loss
            without a target.
    """
    from fanin.graph import Task

    if objective is not None and not (batch is None and loss is None):
        raise ArgumentError.of(
            argument="objective",
            received=objective,
            expected="given alone, in place of batch, loss and target",
        )
    if isinstance(loss, str) and target is None:
        expected = f"given with the loss {loss!r}"
        raise ArgumentError.of(argument="target", received=target, expected=expected)
    return Task(batch=batch, loss=loss, target=target, objective=objective, seed=seed)


def has_input(task: Task) -> bool:
    """Say whether the caller gave something to run the model on."""
    return task.batch is not None or task.objective is not None


def with_example(
    framework: Framework, model: object, task: Task, *, with_target: bool = False
) -> tuple[Task, Graph, str]:
    """Make a batch of the first signature that the model accepts.

    Args:
        framework: the model's.
        model: any.
        task: without a batch.
        with_target: where no loss was given and the model's kind says what classes it
            tells apart, make random labels as well, for their cross entropy.

    Returns:
        The task with that batch, the graph it gave, and the batch in words.

    Raises:
        BatchError: if the model accepts none; it asks for a batch.
        ModelError: if it holds what no weight can be drawn for.
    """
    from fanin.sampler.synthetic import batch_of

    framework.parameters(model)  # what no weight can be drawn for is refused by name
    reason: ModelError | None = None
    for signature in framework.input_signatures(model):
        candidate = replace(task, batch=batch_of(signature, seed=task.seed))
        try:
            graph = framework.record(model, candidate)
        except ModelError as error:
            reason = reason or error
        else:
            target = getattr(signature, "target", None)
            if not with_target or task.loss is not None or target is None:
                return candidate, graph, signature.describe()
            labels = batch_of(target, seed=task.seed + 1)
            judged = replace(candidate, loss="cross_entropy", target=labels)
            return judged, graph, f"{signature.describe()}, with random labels"
    message = (
        "No batch was given, and none of the usual shapes fits this model. "
        "Pass an example batch: an array, a tuple of arguments or a dict of keywords."
    )
    raise BatchError(message) from reason
