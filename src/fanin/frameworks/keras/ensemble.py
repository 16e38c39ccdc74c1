"""Train a cohort of dense nets in Keras: one model holds them all, side by side.

Members never meet: each has its own kernel, batches and loss, and the sum of the
losses has as its gradient each member's own. Where the update is linear in the gradient
(plain descent and momentum) a member's learning rate is a factor on its loss, exactly;
for Adam the members of one rate form a model of their own.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from fanin.errors import UnknownNameError
from fanin.frameworks.keras.arrays import to_numpy
from fanin.frameworks.keras.call import check_backend
from fanin.frameworks.keras.ensemble_start import start_profiles
from fanin.frameworks.keras.stacked import (
    Latest,
    build,
    member_losses,
    member_scores,
)
from fanin.graph.cohort import OPTIMIZERS, MemberRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph.cohort import Cohort, StartProfile

ADAPTIVE = ("adam", "adamw")


def train(cohort: Cohort) -> tuple[MemberRun, ...]:
    """Train every member and say how it went; as in torch's ensemble.

    Raises:
        UnknownNameError: if Keras has no such activation, or fanin no such optimizer.
        ArgumentError: if Keras runs on neither torch nor JAX.
    """
    check_backend()
    if cohort.optimizer not in OPTIMIZERS:
        kind = "optimizer"
        raise UnknownNameError.of(kind, cohort.optimizer, OPTIMIZERS)
    began = time.perf_counter()
    runs: dict[int, dict[str, Any]] = {}
    with _without_subnormals():
        start = start_profiles(cohort)
        for members in _groups(cohort):
            runs |= _train_group(cohort, members)
    seconds = (time.perf_counter() - began) / cohort.n_members
    return tuple(
        _member_run(runs[member], start[member], cohort, seconds)
        for member in range(cohort.n_members)
    )


@contextmanager
def _without_subnormals() -> Iterator[None]:
    """Flush subnormals on the torch backend; JAX does so on a CPU by itself."""
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    halved = torch.full((1,), 2.0**-126) / 2  # the largest subnormal power of two
    was_flushed = bool(halved == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(was_flushed)


def _groups(cohort: Cohort) -> list[np.ndarray]:
    """Give the members that one model trains: all, or for Adam those of one rate."""
    if cohort.optimizer not in ADAPTIVE:
        return [np.arange(cohort.n_members)]
    rates = np.unique(cohort.learning_rates)
    return [np.flatnonzero(cohort.learning_rates == rate) for rate in rates]


def _optimizer(cohort: Cohort, members: np.ndarray) -> Any:
    rate = float(cohort.learning_rates[members[0]])
    if cohort.optimizer == "adam":
        return keras.optimizers.Adam(rate, epsilon=1e-8)
    if cohort.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=0.01, epsilon=1e-8)
    momentum = 0.9 if cohort.optimizer == "momentum" else 0.0
    return keras.optimizers.SGD(1.0, momentum=momentum)


class _Recorder(keras.callbacks.Callback):  # type: ignore[misc] # keras has no types
    """Writes the losses down, and stops when no member is left."""

    def __init__(self, n_members: int, n_steps: int) -> None:
        super().__init__()
        self.losses = np.full((n_members, n_steps), np.nan)

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Keep a member's loss as long as it has been finite at every step."""
        values = keras.ops.convert_to_tensor((logs or {})["member_losses"])
        values = to_numpy(values).astype(np.float64)
        before = self.losses[:, batch - 1] if batch else np.zeros(len(values))
        alive = np.isfinite(before) & np.isfinite(values)
        self.losses[alive, batch] = values[alive]
        if not alive.any():
            self.model.stop_training = True


def _train_group(cohort: Cohort, members: np.ndarray) -> dict[int, dict[str, Any]]:
    """Fit one model; give what is known of each of its members, by number."""
    model = build(cohort, members)
    is_linear = cohort.optimizer not in ADAPTIVE
    factors = cohort.learning_rates[members] if is_linear else np.ones(len(members))
    scale = factors.astype(np.float32)

    def total(targets: Any, logits: Any) -> Any:
        losses = member_losses(targets, logits)
        return keras.ops.sum(keras.ops.multiply(losses, scale))

    model.compile(
        optimizer=_optimizer(cohort, members),
        loss=total,
        metrics=[Latest(len(members))],
    )
    before = [layer.kernel for layer in _kernels(model)]
    started = [to_numpy(kernel.value) for kernel in before]
    first = _score(model, cohort.inputs, cohort.targets, len(members))[0]
    rows = cohort.batches[members].transpose(1, 2, 0)  # step, place in batch, member
    rows = rows.reshape(-1, len(members))
    recorder = _Recorder(len(members), cohort.n_steps)
    model.fit(
        cohort.inputs[rows],
        cohort.targets[rows],
        batch_size=cohort.batches.shape[2],
        shuffle=False,
        verbose=0,
        callbacks=[recorder],
    )
    changes = [
        np.abs(to_numpy(kernel.value) - start).max(axis=(1, 2))
        for kernel, start in zip(before, started, strict=True)
    ]
    loss, train_accuracy = _score(model, cohort.inputs, cohort.targets, len(members))
    _, test_accuracy = _score(
        model, cohort.test_inputs, cohort.test_targets, len(members)
    )
    valid_loss, valid_accuracy = _valid_score(model, cohort, len(members))
    spreads = _unit_spreads(model)
    return {
        int(member): {
            "losses": recorder.losses[i],
            "first_loss": float(first[i]),
            "final_loss": float(loss[i]),
            "train_accuracy": float(train_accuracy[i]),
            "test_accuracy": float(test_accuracy[i]),
            "valid_loss": float(valid_loss[i]),
            "valid_accuracy": float(valid_accuracy[i]),
            "weight_change": np.array([change[i] for change in changes], np.float64),
            "unit_spread": np.array([spread[i] for spread in spreads], np.float64),
        }
        for i, member in enumerate(members)
    }


def _kernels(model: Any) -> list[Any]:
    return [layer for layer in model.layers if hasattr(layer, "kernel")]


def _score(
    model: Any, inputs: np.ndarray, targets: np.ndarray, n_members: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean loss and score of each member on these samples."""
    stacked = np.repeat(inputs[:, None], n_members, axis=1)
    wanted = np.repeat(targets[:, None], n_members, axis=1)
    logits = model(stacked, training=False)
    loss = to_numpy(member_losses(wanted, logits)).astype(np.float64)
    return loss, member_scores(to_numpy(logits), wanted)


def _valid_score(
    model: Any, cohort: Cohort, n_members: int
) -> tuple[np.ndarray, np.ndarray]:
    """Score on the validation part; NaN where there is none."""
    if cohort.valid_inputs is None or cohort.valid_targets is None:
        nothing = np.full(n_members, np.nan)
        return nothing, nothing
    return _score(model, cohort.valid_inputs, cohort.valid_targets, n_members)


def _unit_spreads(model: Any) -> list[np.ndarray]:
    """The largest difference between two units of each hidden layer, by member."""
    layers = _kernels(model)
    spreads = []
    for layer, after in pairwise(layers):
        parts = (
            to_numpy(layer.kernel.value),
            to_numpy(layer.bias.value)[:, None],
            to_numpy(after.kernel.value).transpose(0, 2, 1),
        )
        units = np.concatenate(parts, axis=1)
        spreads.append((units.max(axis=2) - units.min(axis=2)).max(axis=1))
    return spreads


def _member_run(
    found: dict[str, Any], start: StartProfile, cohort: Cohort, seconds: float
) -> MemberRun:
    """Judge whether a member diverged; one that did knows nothing."""
    ends = np.flatnonzero(~np.isfinite(found["losses"]))
    is_lost = len(ends) > 0 or not np.isfinite(found["final_loss"])
    if is_lost:
        lost = ("train_accuracy", "test_accuracy", "valid_accuracy")
        found |= dict.fromkeys(lost, cohort.lost_score)
        found |= {"final_loss": np.nan, "valid_loss": np.nan}
    diverged_at = int(ends[0]) if len(ends) else None
    return MemberRun(**found, diverged_at=diverged_at, start=start, seconds=seconds)
