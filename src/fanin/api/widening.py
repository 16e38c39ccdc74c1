"""The nets of a width study: built at each width, started, trained."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fanin.errors import ArgumentError, ModelError
from fanin.race.data import batches, load
from fanin.race.studies import USUAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph import Task
    from fanin.graph.coordinates import Walk
    from fanin.prescription import Plan
    from fanin.race.studies import WidthStudy

    Build = Callable[..., Any]

N_WATCHED: Final = 256
"""Samples that the coordinate check trains on."""


def subject_of(
    make: Build | None,
    batch: object,
    loss: str | Callable[[Any, Any], Any] | None,
    target: object,
) -> tuple[Build, Task, str]:
    """Give what builds the model, what it is trained on, and the model in words.

    Raises:
        ArgumentError: if a model comes without batch, loss and target.
        MissingDependencyError: if the digits are wanted and scikit-learn is missing.
    """
    from fanin.graph import Task

    if make is None:
        return _digits()
    if batch is None or loss is None or target is None:
        expected = "given together with a model: batch, loss and target"
        raise ArgumentError.of(argument="batch", received=batch, expected=expected)
    labels = np.asarray(target) if isinstance(target, list | tuple) else target
    if getattr(labels, "ndim", 0) < 1:
        expected = "an array with a sample along its first axis"
        received = type(target).__name__
        raise ArgumentError.of(argument="target", received=received, expected=expected)
    words = getattr(make, "__name__", type(make).__name__)
    return make, Task(batch=batch, loss=loss, target=labels), words


def _digits() -> tuple[Build, Task, str]:
    from fanin.frameworks.torch.dense import dense_net
    from fanin.graph import Task

    data = load("digits")

    def digits_net(width: int) -> object:
        return dense_net([data.n_in, width, width, data.n_classes], "relu")

    task = Task(batch=data.inputs, loss="cross_entropy", target=data.targets)
    return digits_net, task, "a dense net of two hidden layers with ReLU, on digits"


def run_widths(
    study: WidthStudy, build: Build, task: Task, tell: Callable[[int, int], None]
) -> tuple[dict[tuple[str, int, int], Walk], dict[tuple[str, int], np.ndarray]]:
    """Train every net of a study.

    Args:
        study: what is done.
        build: called as build(width=…).
        task: samples, loss, targets.
        tell: called with nets done and nets in all.

    Returns:
        Walks by (policy, width, seed), and losses over the grid by (policy, width).
    """
    walks: dict[tuple[str, int, int], Walk] = {}
    found: dict[tuple[str, int], list[list[float]]] = {}
    done = 0
    for policy, width, seed in product(study.policies, study.widths, study.seeds):
        start = _Start(study, build, task, (policy, width, seed))
        walks[policy, width, seed] = start.walk()
        grid = [start.trained_loss(rate) for rate in study.rates]
        found.setdefault((policy, width), []).append(grid)
        done += 1 + len(study.rates)
        tell(done, study.n_runs)
    return walks, {key: np.array(rows).mean(axis=0) for key, rows in found.items()}


class _Start:
    """One model of one policy, width and seed, started anew for each learning rate."""

    def __init__(
        self, study: WidthStudy, build: Build, task: Task, which: tuple[str, int, int]
    ) -> None:
        self.study = study
        self.build = build
        self.task = task
        self.policy, self.width, self.seed = which
        self.plan = None if self.policy == USUAL else self._planned()

    def walk(self) -> Walk:
        """Follow the first steps."""
        from fanin.frameworks.torch import coordinates

        model, groups = self._at(self.study.learning_rate)
        task = _first(self.task, N_WATCHED)
        study = self.study
        return coordinates.walk(model, task, groups, study.optimizer, study.n_steps)

    def trained_loss(self, rate: float) -> float:
        """Train for a while; give the mean loss of the last third, NaN if it diverged.

        Every policy and width sees the same samples in the same order.
        """
        from fanin.frameworks.torch import coordinates

        study = self.study
        model, groups = self._at(rate)
        n_samples = len(self.task.target)
        size = min(study.batch_size, n_samples)
        rows = batches(n_samples, study.n_train_steps, size, seed=self.seed)
        losses = coordinates.train(model, self.task, groups, study.optimizer, rows)
        return float(losses[-max(len(losses) // 3, 1) :].mean())

    def _at(self, rate: float) -> tuple[object, object]:
        """Give the model and the groups of its parameters."""
        model = self._built(self.width)
        if self.plan is None:
            return model, [{"params": list(model.parameters()), "lr": rate}]
        self.plan.apply(model)
        optimizer = self.study.optimizer
        return model, self.plan.groups(model, lr=rate, optimizer=optimizer)

    def _planned(self) -> Plan:
        from fanin.api.planning import plan

        base = self.study.base_width
        return plan(
            self._built(self.width),
            _first(self.task, N_WATCHED).batch,
            policy=self.policy,
            base=None if self.width == base else self._built(base),
            seed=self.seed,
        )

    def _built(self, width: int) -> Any:  # noqa: ANN401 (a user's model)
        """Build the model; its constructor draws from torch's generator at this seed.

        Raises:
            ModelError: if the maker raises, or gives no PyTorch model.
        """
        import torch

        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            try:
                model = self.build(width=width)
            except Exception as error:
                message = f"The model cannot be built at width {width}: {error}"
                raise ModelError(message) from error
        if not isinstance(model, torch.nn.Module):
            kind = type(model).__name__
            message = f"A width study trains PyTorch models; the maker gave {kind}."
            raise ModelError(message)
        return model


def _first(task: Task, n: int) -> Task:
    """Give the task on its first samples."""
    return replace(task, batch=_cut(task.batch, n), target=_cut(task.target, n))


def _cut(value: Any, n: int) -> Any:  # noqa: ANN401 (a user's batch)
    if isinstance(value, dict):
        return {key: _cut(each, n) for key, each in value.items()}
    if isinstance(value, tuple | list):
        parts = [_cut(each, n) for each in value]
        is_named = hasattr(value, "_fields")
        return type(value)(*parts) if is_named else type(value)(parts)
    return value[:n] if getattr(value, "ndim", 0) else value
