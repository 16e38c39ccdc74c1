"""Train many small dense nets at once: one batched product for all of them.

A net of 128 units keeps a core busy for microseconds a layer, so a loop over nets
spends its time between the calls. Here a layer's weights are one array
``(n_members, n_in, n_out)``. The members never meet: each has its own batches, its own
learning rate and its own loss, and the sum of the losses has as its gradient each
member's own.

Subnormal numbers are flushed to zero while this runs: a vanishing net is full of them,
and they make it twenty times slower.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from fanin.frameworks.torch.stacked import Nets, backward, member_losses, member_scores
from fanin.frameworks.torch.update import Updater
from fanin.graph.cohort import MemberRun, StartProfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph.cohort import Cohort

MOST_SAMPLES = 512  # of each hidden layer, kept for histograms


def train(cohort: Cohort) -> tuple[MemberRun, ...]:
    """Train every member and say how it went.

    A member whose loss is not finite stops there: it keeps its NaN and is reported as
    diverged. When all have, the cohort stops.

    Raises:
        UnknownNameError: if torch has no such activation.
        UnknownNameError: if there is no such optimizer.
    """
    began = time.perf_counter()
    with one_thread_without_subnormals():
        nets = Nets.of(cohort)
        start = _start_profiles(nets, cohort)
        before = [weight.clone() for weight in nets.weights]
        first_loss, _ = _score(nets, cohort.inputs, cohort.targets)
        losses, diverged = _fit(nets, cohort)
        ended = _Ended.of(nets, before, cohort, diverged)
    seconds = (time.perf_counter() - began) / cohort.n_members
    return tuple(
        MemberRun(
            losses=losses[member],
            diverged_at=diverged[member],
            first_loss=float(first_loss[member]),
            final_loss=float(ended.loss[member]),
            train_accuracy=float(ended.train_accuracy[member]),
            test_accuracy=float(ended.test_accuracy[member]),
            valid_loss=float(ended.valid_loss[member]),
            valid_accuracy=float(ended.valid_accuracy[member]),
            weight_change=ended.weight_change[member],
            unit_spread=ended.unit_spread[member],
            start=start[member],
            seconds=seconds,
        )
        for member in range(cohort.n_members)
    )


@contextmanager
def one_thread_without_subnormals() -> Iterator[None]:
    """Keep torch to one thread, as every process of a race has one core."""
    n_threads = torch.get_num_threads()
    halved = torch.full((1,), 2.0**-126) / 2  # the largest subnormal power of two
    was_flushed = bool(halved == 0)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(was_flushed)
        torch.set_num_threads(n_threads)


def _fit(nets: Nets, cohort: Cohort) -> tuple[np.ndarray, list[int | None]]:
    """Take all steps; give each step's losses and where each member diverged."""
    inputs = torch.from_numpy(cohort.inputs)
    targets = torch.from_numpy(cohort.targets)
    batches = torch.from_numpy(cohort.batches)
    updater = Updater.of(cohort.optimizer, cohort.learning_rates)
    ones = torch.ones(cohort.n_members, 1, batches.shape[2])
    losses = np.full((cohort.n_members, cohort.n_steps), np.nan)
    alive = np.ones(cohort.n_members, dtype=bool)
    diverged: list[int | None] = [None] * cohort.n_members
    for step in range(cohort.n_steps):
        rows = batches[:, step]
        tape = nets.forward(inputs[rows])
        loss = member_losses(tape.logits, targets[rows])
        values = loss.detach().double().numpy()
        for member in np.flatnonzero(alive & ~np.isfinite(values)):
            diverged[member], alive[member] = step, False
        losses[alive, step] = values[alive]
        if not alive.any():
            break
        for layer, delta in backward(nets, tape, loss.sum()):
            left = tape.values[layer].transpose(1, 2)
            updater.step(nets.weights[layer], left, delta)
            updater.step(nets.biases[layer], ones, delta)
    return losses, diverged


def _score(
    nets: Nets, inputs: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean loss and score of each member on these samples."""
    n_members = nets.weights[0].shape[0]
    logits = nets.logits(torch.from_numpy(inputs).expand(n_members, -1, -1))
    wanted = torch.from_numpy(targets)
    wanted = wanted.expand(n_members, *wanted.shape)
    loss = member_losses(logits, wanted)
    return loss.double().numpy(), member_scores(logits, wanted).numpy()


def _valid_score(nets: Nets, cohort: Cohort) -> tuple[np.ndarray, np.ndarray]:
    """Score on the validation part; NaN where there is none."""
    if cohort.valid_inputs is None or cohort.valid_targets is None:
        nothing = np.full(cohort.n_members, np.nan)
        return nothing, nothing
    return _score(nets, cohort.valid_inputs, cohort.valid_targets)


@dataclass(frozen=True, kw_only=True)
class _Ended:
    """What the members are after their last step; all arrays begin with "member"."""

    loss: np.ndarray
    train_accuracy: np.ndarray
    test_accuracy: np.ndarray
    valid_loss: np.ndarray
    valid_accuracy: np.ndarray
    weight_change: np.ndarray
    unit_spread: np.ndarray

    @classmethod
    def of(
        cls,
        nets: Nets,
        before: list[torch.Tensor],
        cohort: Cohort,
        diverged: list[int | None],
    ) -> _Ended:
        """Score the trained members; one that diverged knows nothing."""
        loss, train_accuracy = _score(nets, cohort.inputs, cohort.targets)
        _, test_accuracy = _score(nets, cohort.test_inputs, cohort.test_targets)
        valid_loss, valid_accuracy = _valid_score(nets, cohort)
        is_lost = np.array([step is not None for step in diverged]) | ~np.isfinite(loss)
        chance = cohort.lost_score
        changes = [
            (after - start).abs().amax((1, 2))
            for after, start in zip(nets.weights, before, strict=True)
        ]
        return cls(
            loss=np.where(is_lost, np.nan, loss),
            train_accuracy=np.where(is_lost, chance, train_accuracy),
            test_accuracy=np.where(is_lost, chance, test_accuracy),
            valid_loss=np.where(is_lost, np.nan, valid_loss),
            valid_accuracy=np.where(is_lost, chance, valid_accuracy),
            weight_change=torch.stack(changes, 1).double().numpy(),
            unit_spread=_unit_spreads(nets),
        )


def _unit_spreads(nets: Nets) -> np.ndarray:
    """The largest difference between two units of a layer: "member hidden_layer"."""
    spreads = []
    for layer, bias in enumerate(nets.biases[:-1]):
        incoming = torch.cat([nets.weights[layer], bias], dim=1)  # units on axis 2
        outgoing = nets.weights[layer + 1].transpose(1, 2)
        units = torch.cat([incoming, outgoing], dim=1)
        spreads.append((units.amax(2) - units.amin(2)).amax(1))
    n_members = nets.weights[0].shape[0]
    if not spreads:
        return np.zeros((n_members, 0))
    return torch.stack(spreads, 1).double().numpy()


def _start_profiles(nets: Nets, cohort: Cohort) -> list[StartProfile]:
    """Run the probe forward and backward once, before any update."""
    inputs = torch.from_numpy(cohort.inputs[cohort.probe])
    targets = torch.from_numpy(cohort.targets[cohort.probe])
    tape = nets.forward(inputs.expand(cohort.n_members, -1, -1))
    wanted = targets.expand(cohort.n_members, *targets.shape)
    loss = member_losses(tape.logits, wanted).sum()
    deltas = dict(backward(nets, tape, loss))
    layers = [value.double() for value in (*tape.values, tape.logits.detach())]
    rms = _by_member([values.square() for values in layers])
    between = _by_member([values.var(1, correction=0) for values in layers])
    of_sums, of_weights = [], []
    for layer, values in enumerate(tape.values):
        delta = deltas[layer]
        # From the mean loss of the probe to the loss of one sample.
        of_sums.append((delta.double() * len(targets)).square())
        of_weights.append(torch.bmm(values.transpose(1, 2), delta).double().square())
    gradient, weight_gradient = _by_member(of_sums), _by_member(of_weights)
    hidden = [_thinned(values) for values in tape.values[1:]]
    return [
        StartProfile(
            rms=rms[member],
            between=between[member],
            gradient_rms=gradient[member],
            weight_gradient_rms=weight_gradient[member],
            samples=tuple(layer[member] for layer in hidden),
        )
        for member in range(cohort.n_members)
    ]


def _by_member(squares: list[torch.Tensor]) -> np.ndarray:
    """Square roots of each member's mean, layer by layer: "member layer"."""
    return torch.stack([s.flatten(1).mean(1).sqrt() for s in squares], 1).numpy()


def _thinned(values: torch.Tensor) -> np.ndarray:
    """At most 512 entries of each member, evenly spaced: "member entry"."""
    flat = values.flatten(1)
    step = max(1, -(-flat.shape[1] // MOST_SAMPLES))
    step += 1 - step % 2  # odd, so that not every entry is of the same few units
    return flat[:, ::step].numpy().copy()
