"""check: decide before training what will not learn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fanin.api.task import find_framework, has_input, make_task, with_example

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.rules import Report


def check(  # noqa: PLR0913 (the objective takes four words to say)
    model: object,
    batch: object = None,
    loss: str | Callable[[Any, Any], Any] | None = None,
    target: object = None,
    *,
    objective: Callable[[Any], Any] | None = None,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
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
        select: codes of rules ("FAN101"), names, or beginnings ("FAN1"); None: all.
        ignore: the same, left out.
        seed: governs dropout while checking, and a synthetic batch.

    Returns:
        The report: ``.ok``, ``.verdict``, ``.findings``.

    Raises:
        ModelError: if the model cannot be run.
        BatchError: if the batch does not fit, or holds NaN or infinity.
        UnknownNameError: if a rule or a loss is not known; it names the nearest.
        ArgumentError: if the arguments contradict one another.
    """
    from fanin.rules import inspect, judge
    from fanin.rules.judge import chosen_rules

    chosen_rules(select, ignore)  # a wrong word is refused before the model runs
    framework = find_framework(model)
    task = make_task(batch, loss, target, objective, seed)
    made = ""
    is_ready = all(p.storage == "ready" for p in framework.parameters(model))
    if is_ready and not has_input(task):
        task, _, made = with_example(framework, model, task)
    report = judge(inspect(framework, model, task), select=select, ignore=ignore)
    if not made:
        return report
    return replace(report, notes=(f"No batch was given: checked on {made}.",))
