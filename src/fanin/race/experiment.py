"""What is compared: every scheme with every activation, learning rate and seed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from fanin.activations import find_activation
from fanin.errors import ArgumentError, UnknownNameError
from fanin.graph.cohort import OPTIMIZERS
from fanin.race.data import DATASETS
from fanin.schemes import find_scheme

if TYPE_CHECKING:
    from collections.abc import Collection

    from fanin.graph.cohort import MemberRun

LESSON = (
    "zeros",
    "constant(0.02)",
    "normal(std=0.01)",
    "normal(std=1)",
    "glorot_normal",
    "he_normal",
)
"""The schemes of the lesson: four that fail, two that were made to work."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One net to train."""

    scheme: str
    activation: str
    learning_rate: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """One net trained: the trial, and how it went."""

    trial: Trial
    run: MemberRun


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A comparison. All schemes get one grid of learning rates and the same batches.

    schemes: specs as in ``find_scheme``. activations: names. seeds: of the weights and
    of the order of batches. depth: hidden layers; width: units of each. optimizer:
    "sgd", "momentum" or "adam". learning_rates: the grid. n_steps, batch_size: counts.
    data: "digits" or "moons". split_seed: decides who is in the test set.
    framework: "torch" or "keras".

    Raises:
        UnknownNameError: if a scheme, activation, optimizer or dataset is not known.
        ArgumentError: if a number is out of range, or a list is empty or repeats.

    >>> Experiment().n_trials
    180
    """

    schemes: tuple[str, ...] = LESSON
    activations: tuple[str, ...] = ("tanh", "relu")
    seeds: tuple[int, ...] = (0, 1, 2)
    depth: int = 20
    width: int = 64
    optimizer: str = "sgd"
    learning_rates: tuple[float, ...] = (0.3, 0.1, 0.03, 0.01, 0.003)
    n_steps: int = 300
    batch_size: int = 64
    data: str = "digits"
    split_seed: int = 0
    framework: str = "torch"

    def __post_init__(self) -> None:
        for name in ("schemes", "activations", "seeds", "learning_rates"):
            _require_list(name, getattr(self, name))
        for name in ("depth", "width", "n_steps", "batch_size"):
            _require_count(name, getattr(self, name))
        for rate in self.learning_rates:
            if not 0 < rate < float("inf"):
                expected = "numbers above 0"
                raise ArgumentError.of(
                    argument="learning_rates", received=rate, expected=expected
                )
        _require_known("optimizer", self.optimizer, OPTIMIZERS)
        _require_known("dataset", self.data, DATASETS)
        for spec in self.schemes:
            find_scheme(spec)
        for activation in self.activations:
            find_activation(activation)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Give every (scheme, activation), activation by activation."""
        return tuple((s, a) for a, s in product(self.activations, self.schemes))

    @property
    def n_trials(self) -> int:
        """How many nets are trained: a count."""
        return len(self.pairs) * len(self.learning_rates) * len(self.seeds)

    def trials(self, scheme: str, activation: str) -> tuple[Trial, ...]:
        """Give the trials of one pair: every learning rate with every seed."""
        return tuple(
            Trial(scheme=scheme, activation=activation, learning_rate=rate, seed=seed)
            for rate, seed in product(self.learning_rates, self.seeds)
        )

    def sizes(self, n_in: int, n_classes: int) -> tuple[int, ...]:
        """Give the units of input, hidden layers and output.

        >>> Experiment(depth=2, width=8).sizes(64, 10)
        (64, 8, 8, 10)
        """
        return (n_in, *(self.width,) * self.depth, n_classes)


def _require_list(name: str, values: object) -> None:
    if not isinstance(values, tuple) or not 0 < len(values) == len(set(values)):
        expected = "a tuple with at least one entry and no repetition"
        raise ArgumentError.of(name, values, expected=expected)


def _require_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        expected = "a whole number of at least 1"
        raise ArgumentError.of(name, value, expected=expected)


def _require_known(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UnknownNameError.of(kind, name, known)
