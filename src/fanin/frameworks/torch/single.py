"""Train one net of any kind, and say how it went, as ``ensemble`` does for many."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fanin.frameworks.torch.ensemble import one_thread_without_subnormals
from fanin.frameworks.torch.net_loss import loss_of
from fanin.frameworks.torch.single_start import start_profile
from fanin.frameworks.torch.stacked import member_scores
from fanin.graph.cohort import MemberRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph.raced import Lesson

MOST_ROWS = 1024  # samples that are scored at once
MOMENTUM, DECAY = 0.9, 0.01


def train_one(model: torch.nn.Module, lesson: Lesson) -> MemberRun:
    """Train a net in place.

    A net whose loss is not finite stops there and is reported as diverged.

    Raises:
        ModelError: if what it puts out does not fit the targets.
    """
    began = time.perf_counter()
    with one_thread_without_subnormals():
        start = start_profile(model, lesson)
        before = {name: value.detach().clone() for name, value in _weights(model)}
        first_loss, _ = _score(model, lesson.inputs, lesson.targets)
        losses, diverged_at = _fit(model, lesson)
        model.eval()
        ended = _Ended.of(model, lesson, is_lost=diverged_at is not None)
        changes = [
            (value.detach() - before[name]).abs().max().double()
            for name, value in _weights(model)
        ]
    return MemberRun(
        losses=losses,
        diverged_at=diverged_at,
        first_loss=first_loss,
        final_loss=ended.final_loss,
        train_accuracy=ended.train_accuracy,
        valid_loss=ended.valid_loss,
        valid_accuracy=ended.valid_accuracy,
        test_accuracy=ended.test_accuracy,
        weight_change=torch.stack(changes).numpy(),
        unit_spread=np.array(list(_unit_spreads(model)), np.float64),
        start=start,
        seconds=time.perf_counter() - began,
    )


@dataclass(frozen=True, kw_only=True)
class _Ended:
    """What the net scores after its last step; one that diverged knows nothing."""

    final_loss: float
    train_accuracy: float
    valid_loss: float
    valid_accuracy: float
    test_accuracy: float

    @classmethod
    def of(cls, model: torch.nn.Module, lesson: Lesson, *, is_lost: bool) -> _Ended:
        loss, train_accuracy = _score(model, lesson.inputs, lesson.targets)
        _, test_accuracy = _score(model, lesson.test_inputs, lesson.test_targets)
        valid_loss, valid_accuracy = np.nan, np.nan
        if lesson.valid_inputs is not None and lesson.valid_targets is not None:
            valid_loss, valid_accuracy = _score(
                model, lesson.valid_inputs, lesson.valid_targets
            )
        if is_lost or not np.isfinite(loss):
            chance = lesson.lost_score
            has_valid = lesson.valid_inputs is not None
            return cls(
                final_loss=np.nan,
                train_accuracy=chance,
                valid_loss=np.nan,
                valid_accuracy=chance if has_valid else np.nan,
                test_accuracy=chance,
            )
        return cls(
            final_loss=loss,
            train_accuracy=train_accuracy,
            valid_loss=valid_loss,
            valid_accuracy=valid_accuracy,
            test_accuracy=test_accuracy,
        )


def _fit(model: torch.nn.Module, lesson: Lesson) -> tuple[np.ndarray, int | None]:
    """Take all steps; give each step's loss, and where it diverged."""
    inputs = torch.from_numpy(lesson.inputs)
    targets = torch.from_numpy(lesson.targets)
    optimizer = _optimizer(model, lesson)
    losses = np.full(len(lesson.batches), np.nan)
    model.train()
    for step, rows in enumerate(torch.from_numpy(lesson.batches)):
        optimizer.zero_grad()
        loss = loss_of(model(inputs[rows]), targets[rows])
        value = float(loss.detach())
        if not np.isfinite(value):
            return losses, step
        losses[step] = value
        torch.autograd.backward(loss)
        optimizer.step()
    return losses, None


def _optimizer(model: torch.nn.Module, lesson: Lesson) -> torch.optim.Optimizer:
    """Give the optimizer, with a rate of its own for each parameter that has one."""
    rate = lesson.learning_rate
    by_rate: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            own = rate * lesson.factors.get(name, 1.0)
            by_rate.setdefault(own, []).append(parameter)
    groups: Any = [{"params": params, "lr": lr} for lr, params in by_rate.items()]
    if lesson.optimizer == "adam":
        return torch.optim.Adam(groups, lr=rate)
    if lesson.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=rate, weight_decay=DECAY)
    momentum = MOMENTUM if lesson.optimizer == "momentum" else 0.0
    return torch.optim.SGD(groups, lr=rate, momentum=momentum)


def _score(
    model: torch.nn.Module, inputs: np.ndarray, targets: np.ndarray
) -> tuple[float, float]:
    """Mean loss and score on these samples, in the mode the net is in.

    In training mode a copy is run, so that no running statistic moves.
    """
    asked = copy.deepcopy(model) if model.training else model
    wanted = torch.from_numpy(targets)
    with torch.no_grad():
        outputs = torch.cat(
            [asked(part) for part in torch.split(torch.from_numpy(inputs), MOST_ROWS)]
        )
        loss = loss_of(outputs, wanted)
        score = member_scores(outputs[None], wanted[None])
    return float(loss.double()), float(score[0])


def _weights(model: torch.nn.Module) -> list[tuple[str, torch.nn.Parameter]]:
    """Give the parameters of two axes or more, or all where there are none."""
    named = list(model.named_parameters())
    return [(name, p) for name, p in named if p.ndim > 1] or named


def _unit_spreads(model: torch.nn.Module) -> Iterator[float]:
    """The largest difference between two units of a layer, in what comes in.

    A unit is a row of a weight with its bias; the last layer's are the outputs.
    """
    named = dict(model.named_parameters())
    for name, weight in _weights(model)[:-1]:
        rows = weight.detach().flatten(1)
        bias = named.get(f"{name.removesuffix('weight')}bias")
        if name.endswith("weight") and bias is not None and len(bias) == len(rows):
            rows = torch.cat([rows, bias.detach()[:, None]], dim=1)
        yield float((rows.amax(0) - rows.amin(0)).max().double())
