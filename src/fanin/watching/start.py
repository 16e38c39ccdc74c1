"""What there is to say before the first step: a check, or the weights alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fanin.api.checking import check
from fanin.api.task import find_framework
from fanin.graph import Task
from fanin.rules import Inspection, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.rules import Report


@dataclass(frozen=True, kw_only=True)
class Example:
    """What a check is run on. None: the rules about weights alone are asked.

    words: further arguments of `fanin.check`.
    """

    batch: object = None
    loss: str | Callable[[Any, Any], Any] | None = None
    target: object = None
    words: Mapping[str, Any]

    @property
    def is_given(self) -> bool:
        """Say whether there is something to run the model on."""
        return self.batch is not None or "objective" in self.words


def at_start(model: object, example: Example, optimizer: object = None) -> Report:
    """Check the model on the example; without one, judge its weights alone.

    Raises:
        ModelError, BatchError, ArgumentError, UnknownNameError: as `fanin.check`.
    """
    if not example.is_given:
        return weights_only(model, **example.words)
    return check(
        model,
        example.batch,
        example.loss,
        example.target,
        optimizer=optimizer,
        **example.words,
    )


def weights_only(model: object, **words: Any) -> Report:  # noqa: ANN401 (of judge)
    """Ask the rules that need no run: broken numbers, memory never written, clones.

    Args:
        model: as `fanin.check` takes it; it is not run.
        words: ``select`` and ``ignore``, as of `fanin.check`.

    >>> import torch
    >>> net = torch.nn.Linear(2, 2)
    >>> _ = torch.nn.init.constant_(net.bias, float("nan"))
    >>> [finding.code for finding in weights_only(net).findings]
    ['FAN801']
    """
    framework = find_framework(model)
    parameters = framework.parameters(model)
    is_ready = all(p.storage == "ready" for p in parameters)
    held = framework.read(model) if is_ready else {}
    inspection = Inspection(
        framework=framework,
        model=model,
        task=Task(),
        parameters=parameters,
        values={path: value for path, value in held.items() if value.dtype.kind == "f"},
        measurement=None,
    )
    return judge(inspection, select=words.get("select"), ignore=words.get("ignore"))
