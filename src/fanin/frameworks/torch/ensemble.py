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

from fanin.frameworks.torch.dense import function
from fanin.frameworks.torch.update import Updater
from fanin.graph.cohort import MemberRun, StartProfile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    with _one_thread_without_subnormals():
        nets = _Nets.of(cohort)
        start = _start_profiles(nets, cohort)
        before = [weight.detach().clone() for weight in nets.weights]
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
            weight_change=ended.weight_change[member],
            unit_spread=ended.unit_spread[member],
            start=start[member],
            seconds=seconds,
        )
        for member in range(cohort.n_members)
    )


@contextmanager
def _one_thread_without_subnormals() -> Iterator[None]:
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


@dataclass(frozen=True, kw_only=True)
class _Nets:
    """All members' parameters: weights "member n_in n_out", biases "member 1 n_out"."""

    weights: tuple[torch.Tensor, ...]
    biases: tuple[torch.Tensor, ...]
    activation: Callable[[torch.Tensor], torch.Tensor]

    @classmethod
    def of(cls, cohort: Cohort) -> _Nets:
        """Put a cohort's arrays into torch."""
        weights = [
            torch.from_numpy(array.astype(np.float32)).transpose(1, 2).contiguous()
            for array in cohort.weights
        ]
        biases = [torch.zeros(cohort.n_members, 1, n) for n in cohort.sizes[1:]]
        return cls(
            weights=tuple(weight.requires_grad_() for weight in weights),
            biases=tuple(bias.requires_grad_() for bias in biases),
            activation=function(cohort.activation),
        )

    @property
    def parameters(self) -> list[torch.Tensor]:
        """All of them, weights first."""
        return [*self.weights, *self.biases]

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run forward: "member sample n_in" → "member sample class"."""
        values = inputs
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = self.activation(torch.baddbmm(bias, values, weight))
        return torch.baddbmm(self.biases[-1], values, self.weights[-1])


def _member_losses(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of each member's samples: "member"."""
    each = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), reduction="none"
    )
    return each.view(targets.shape).mean(1)


def _fit(nets: _Nets, cohort: Cohort) -> tuple[np.ndarray, list[int | None]]:
    """Take all steps; give each step's losses and where each member diverged."""
    inputs = torch.from_numpy(cohort.inputs)
    targets = torch.from_numpy(cohort.targets)
    batches = torch.from_numpy(cohort.batches)
    updater = Updater.of(cohort.optimizer, cohort.learning_rates, nets.parameters)
    losses = np.full((cohort.n_members, cohort.n_steps), np.nan)
    alive = np.ones(cohort.n_members, dtype=bool)
    diverged: list[int | None] = [None] * cohort.n_members
    for step in range(cohort.n_steps):
        rows = batches[:, step]
        loss = _member_losses(nets.logits(inputs[rows]), targets[rows])
        values = loss.detach().double().numpy()
        for member in np.flatnonzero(alive & ~np.isfinite(values)):
            diverged[member], alive[member] = step, False
        losses[alive, step] = values[alive]
        if not alive.any():
            break
        updater.step(torch.autograd.grad(loss.sum(), nets.parameters))
    return losses, diverged


def _score(
    nets: _Nets, inputs: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean cross-entropy and accuracy of each member on these samples."""
    n_members = nets.weights[0].shape[0]
    with torch.no_grad():
        logits = nets.logits(torch.from_numpy(inputs).expand(n_members, -1, -1))
        wanted = torch.from_numpy(targets).expand(n_members, -1)
        loss = _member_losses(logits, wanted)
        accuracy = (logits.argmax(-1) == wanted).double().mean(1)
    return loss.double().numpy(), accuracy.numpy()


@dataclass(frozen=True, kw_only=True)
class _Ended:
    """What the members are after their last step; all arrays begin with "member"."""

    loss: np.ndarray
    train_accuracy: np.ndarray
    test_accuracy: np.ndarray
    weight_change: np.ndarray
    unit_spread: np.ndarray

    @classmethod
    def of(
        cls,
        nets: _Nets,
        before: list[torch.Tensor],
        cohort: Cohort,
        diverged: list[int | None],
    ) -> _Ended:
        """Score the trained members; one that diverged knows nothing."""
        loss, train_accuracy = _score(nets, cohort.inputs, cohort.targets)
        _, test_accuracy = _score(nets, cohort.test_inputs, cohort.test_targets)
        is_lost = np.array([step is not None for step in diverged]) | ~np.isfinite(loss)
        chance = 1 / cohort.sizes[-1]
        changes = [
            (after.detach() - start).abs().amax((1, 2))
            for after, start in zip(nets.weights, before, strict=True)
        ]
        return cls(
            loss=np.where(is_lost, np.nan, loss),
            train_accuracy=np.where(is_lost, chance, train_accuracy),
            test_accuracy=np.where(is_lost, chance, test_accuracy),
            weight_change=torch.stack(changes, 1).double().numpy(),
            unit_spread=_unit_spreads(nets),
        )


def _unit_spreads(nets: _Nets) -> np.ndarray:
    """The largest difference between two units of a layer: "member hidden_layer"."""
    spreads = []
    for layer, bias in enumerate(nets.biases[:-1]):
        incoming = torch.cat([nets.weights[layer], bias], dim=1)  # units on axis 2
        outgoing = nets.weights[layer + 1].transpose(1, 2)
        units = torch.cat([incoming, outgoing], dim=1).detach()
        spreads.append((units.amax(2) - units.amin(2)).amax(1))
    n_members = nets.weights[0].shape[0]
    if not spreads:
        return np.zeros((n_members, 0))
    return torch.stack(spreads, 1).double().numpy()


def _start_profiles(nets: _Nets, cohort: Cohort) -> list[StartProfile]:
    """Run the probe forward and backward once, before any update."""
    inputs = torch.from_numpy(cohort.inputs[cohort.probe])
    targets = torch.from_numpy(cohort.targets[cohort.probe])
    values = inputs.expand(cohort.n_members, -1, -1)
    layers, sums = [values], []
    for weight, bias in zip(nets.weights, nets.biases, strict=True):
        sums.append(torch.baddbmm(bias, layers[-1], weight))
        is_last = len(sums) == len(nets.weights)
        layers.append(sums[-1] if is_last else nets.activation(sums[-1]))
    loss = _member_losses(layers[-1], targets.expand(cohort.n_members, -1)).sum()
    gradients = torch.autograd.grad(loss, [*sums, *nets.weights])
    of_sums = [g * len(targets) for g in gradients[: len(sums)]]  # mean → one sample
    rms = _by_member([value.detach().double().square() for value in layers])
    between = _by_member([v.detach().double().var(1, correction=0) for v in layers])
    gradient = _by_member([g.double().square() for g in of_sums])
    of_weights = _by_member([g.double().square() for g in gradients[len(sums) :]])
    hidden = [_thinned(value.detach()) for value in layers[1:-1]]
    return [
        StartProfile(
            rms=rms[member],
            between=between[member],
            gradient_rms=gradient[member],
            weight_gradient_rms=of_weights[member],
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
