"""A run of real steps on the lesson's samples: every number of every step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING

from fanin.derivation.arithmetic import Pass, arithmetic, one_pass
from fanin.derivation.notation import Entry
from fanin.derivation.samples import distinct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.derivation.arithmetic import Arithmetic, Sample
    from fanin.derivation.net import Net

Unit = tuple[int, int]
N_SEEDS = 10
LEARNT = 0.05
LARGEST = 1e6
"""A parameter beyond this is called diverged; what follows is not shown."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The net before one update, on every sample.

    parameters: by entry. passes: one a sample. gradient: of the mean loss. change:
    −η·gradient, what the update adds. loss: mean over the samples. masks: dropout's,
    by hidden unit; empty without.
    """

    parameters: Mapping[Entry, float]
    passes: tuple[Pass, ...]
    gradient: Mapping[Entry, float]
    change: Mapping[Entry, float]
    loss: float
    masks: Mapping[Unit, float]


@dataclass(frozen=True)
class Run:
    """One net from one start. rate: η. has_dropout: each update draws masks, p = ½."""

    net: Net
    start: Mapping[Entry, float]
    batch: tuple[Sample, ...]
    rate: float
    n_steps: int
    has_dropout: bool = False

    @cached_property
    def numbers(self) -> Arithmetic:
        """Give the floats' functions."""
        return arithmetic(self.net.activation)

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """Give the net before each update and after the last, while it is finite."""
        found: list[Moment] = []
        parameters = dict(self.start)
        for step in range(self.n_steps + 1):
            moment = self._moment(parameters, step)
            if moment is None:
                break
            found.append(moment)
            parameters = {e: parameters[e] + moment.change[e] for e in self.net.entries}
        return tuple(found)

    @property
    def has_diverged(self) -> bool:
        """Say whether it was broken off."""
        return len(self.moments) <= self.n_steps

    @property
    def losses(self) -> tuple[float, ...]:
        """Give the loss before each update and after the last."""
        return tuple(moment.loss for moment in self.moments)

    def first_move(self, tensor: str) -> int | None:
        """Give the first update that changes some entry of an array; None for none."""
        entries = self.net.of(tensor)
        for step, moment in enumerate(self.moments, 1):
            if any(
                moment.parameters[e] + moment.change[e] != moment.parameters[e]
                for e in entries
            ):
                return step
        return None

    def loss_of(self, passes: Sequence[Pass]) -> float:
        """Give the mean loss of the samples' predictions."""
        value = loss_function(self.net.loss.name)
        pairs = zip(passes, self.batch, strict=True)
        return math.fsum(value(p.y_hat[0], s[1][0]) for p, s in pairs) / len(passes)

    def spread(self, one: Entry, other: Entry) -> float:
        """Give the largest difference between two parameters over the run."""
        return max(abs(m.parameters[one] - m.parameters[other]) for m in self.moments)

    def _moment(self, parameters: Mapping[Entry, float], step: int) -> Moment | None:
        if not all(abs(value) < LARGEST for value in parameters.values()):
            return None
        masks = self._masks(step)
        net, kind = self.net, self.numbers
        passes = tuple(one_pass(net, kind, parameters, s, masks) for s in self.batch)
        loss = self.loss_of(passes)
        if not math.isfinite(loss):
            return None
        n = len(passes)
        slope = {e: sum(p.gradient[e] for p in passes) / n for e in net.entries}
        return Moment(
            parameters=dict(parameters),
            passes=passes,
            gradient=slope,
            change={e: 0.0 - self.rate * slope[e] for e in net.entries},
            loss=loss,
            masks=masks,
        )

    def _masks(self, step: int) -> dict[Unit, float]:
        """Give dropout's masks of one update: fixed bits without a pattern, p = ½."""
        if not self.has_dropout:
            return {}
        units = [
            (layer, j)
            for layer in range(1, self.net.n_layers)
            for j in self.net.units(layer)
        ]
        first = step * len(units)
        return {
            unit: 2.0 if distinct(first + k, salt=1) > 0 else 0.0
            for k, unit in enumerate(units)
        }


def drawn_start(net: Net, scheme: str, seed: int) -> dict[Entry, float]:
    """Draw the weights with a scheme, biases 0: fanin's numbers for that PyTorch net.

    scheme: a name of `fanin.schemes`. The names of the weights are those of an
    ``nn.Sequential`` of linear layers and activations: "0.weight", "2.weight", …
    """
    from fanin.api.drawing import draw

    start: dict[Entry, float] = {}
    for layer in range(1, net.n_layers + 1):
        shape = (net.widths[layer], net.widths[layer - 1])
        drawn = draw(f"{2 * (layer - 1)}.weight", shape, scheme, seed=seed)
        for j in net.units(layer):
            start[Entry(layer, 0, j)] = 0.0
            for i in net.units(layer - 1):
                start[Entry(layer, i, j)] = float(drawn[j - 1, i - 1])
    return {entry: start[entry] for entry in net.entries}


@lru_cache(maxsize=64)
def working_seeds(
    net: Net, scheme: str, batch: tuple[Sample, ...], rate: float, n_steps: int
) -> tuple[int, ...]:
    """Give those of the first `N_SEEDS` seeds from which the net learns the samples.

    Learnt: the loss after n_steps is below `LEARNT` of the constant predictor's, or
    below that of all other seeds where none gets there.
    """
    ends = []
    for seed in range(N_SEEDS):
        run = Run(net, drawn_start(net, scheme, seed), batch, rate, n_steps)
        ends.append(math.inf if run.has_diverged else run.losses[-1])
    goal = max(LEARNT * constant_loss(net, batch), 1.02 * min(ends))
    return tuple(seed for seed, end in enumerate(ends) if end <= goal)


def constant_loss(net: Net, batch: tuple[Sample, ...]) -> float:
    """Give the least loss that one constant prediction can have on the samples.

    It is the loss at the targets' mean, for squared error and for cross-entropy.
    """
    mean = math.fsum(targets[0] for _, targets in batch) / len(batch)
    value = loss_function(net.loss.name)
    return math.fsum(value(mean, targets[0]) for _, targets in batch) / len(batch)


@cache
def loss_function(name: str) -> Callable[[float, float], float]:
    """Give a loss of one prediction and its target on floats.

    It is the derivation's own formula; where 0·ln 0 has no number, the loss is 0 or ∞.

    >>> loss_function("mse")(0.5, 1.0), loss_function("bce")(1.0, 1.0)
    (0.25, 0.0)
    """
    import sympy

    from fanin.derivation.losses import LOSSES

    guess, target = sympy.symbols("p t", real=True)
    formula = LOSSES[name].value([guess], [target])
    value = sympy.lambdify((guess, target), formula, "math")

    def safe(prediction: float, wanted: float) -> float:
        try:
            return float(value(prediction, wanted))
        except (ValueError, OverflowError):
            return 0.0 if prediction == wanted else math.inf

    return safe
