"""What is compared: every scheme in every setting, at every rate, from every seed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from fanin.activations import find_activation
from fanin.errors import ArgumentError, UnknownNameError
from fanin.graph.cohort import OPTIMIZERS, TASKS
from fanin.prescription.policies import find_policy
from fanin.race.data import DATASETS, VALID_SHARE, is_known
from fanin.race.numbers import KINDS, plain
from fanin.race.setting import FACTORS, Setting, values_of
from fanin.race.setting import Trial as Trial
from fanin.race.user_code import is_reference
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

NETS = ("dense", "residual", "conv")
NORMALIZATIONS = ("none", "batch", "layer", "rms")
LISTS = ("schemes", "activations", "seeds", "learning_rates")


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """One net trained: the trial, and how it went."""

    trial: Trial
    run: MemberRun


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A trial that raised: no result, and no end of the others. error: what it said."""

    trial: Trial
    error: str


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A comparison. All schemes get one grid of learning rates and the same batches.

    schemes: specs as in ``find_scheme``, or policies ("auto", "mup"). activations:
    names. seeds: of the weights and of the order of batches.
    depth, width, optimizer, normalization: one value, or a tuple of several; every
    scheme meets every combination. depth: hidden layers, residual blocks or
    convolutions; width: units or channels of each. optimizer: "sgd", "momentum",
    "adam" or "adamw". normalization: "none", "batch", "layer" or "rms".
    learning_rates: the grid. n_steps, batch_size: counts.
    net: "dense", "residual", "conv", or ``pkg.mod:make``, a function that gives a torch
    module; it is called with those of the factors that it has arguments for, and
    ``n_in``, ``n_out``.
    data: a name of `DATASETS`, a file (.npz, .csv, .parquet; target_column says what is
    learned), or ``pkg.mod:data``, which gives (inputs, targets). task: "classification"
    or "regression"; None: by the targets. split_seed: decides who is in which part.
    valid_share: of the training samples, set aside to choose the learning rate; with 0
    it is chosen by the training loss.
    framework: "torch" or "keras" (plain dense nets).

    Raises:
        UnknownNameError: if a scheme, activation, optimizer or dataset is not known.
        ArgumentError: if a number is out of range, or a list is empty or repeats.

    >>> Experiment().n_trials
    180
    >>> Experiment(depth=(5, 10), optimizer=("sgd", "adam")).n_trials
    720
    """

    schemes: tuple[str, ...] = LESSON
    activations: tuple[str, ...] = ("tanh", "relu")
    seeds: tuple[int, ...] = (0, 1, 2)
    depth: int | tuple[int, ...] = 20
    width: int | tuple[int, ...] = 64
    optimizer: str | tuple[str, ...] = "sgd"
    normalization: str | tuple[str, ...] = "none"
    learning_rates: tuple[float, ...] = (0.3, 0.1, 0.03, 0.01, 0.003)
    n_steps: int = 300
    batch_size: int = 64
    net: str = "dense"
    data: str = "digits"
    target_column: str | None = None
    task: str | None = None
    split_seed: int = 0
    valid_share: float = VALID_SHARE
    framework: str = "torch"

    def __post_init__(self) -> None:
        for name in (*LISTS, *FACTORS):
            _require_list(name, values_of(getattr(self, name), name))
        for name in KINDS:
            object.__setattr__(self, name, plain(name, getattr(self, name)))
        _require_names(self)

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Give every combination of the factors that schemes compete in."""
        return self._settings(self.activations)

    def _settings(self, activations: tuple[str, ...]) -> tuple[Setting, ...]:
        factors = (values_of(getattr(self, name), name) for name in FACTORS)
        return tuple(
            Setting(**dict(zip(("activation", *FACTORS), values, strict=True)))
            for values in product(activations, *factors)
        )

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Give every (scheme, activation), activation by activation."""
        return tuple((s, a) for a, s in product(self.activations, self.schemes))

    @property
    def arms(self) -> tuple[tuple[str, Setting], ...]:
        """Give every (scheme, setting), setting by setting."""
        return tuple((s, each) for each, s in product(self.settings, self.schemes))

    @property
    def n_trials(self) -> int:
        """How many nets are trained: a count."""
        return len(self.arms) * len(self.learning_rates) * len(self.seeds)

    def trials(self, scheme: str, activation: str) -> tuple[Trial, ...]:
        """Give the trials of one pair: in every setting, every rate with every seed."""
        return tuple(
            trial
            for setting in self._settings((activation,))
            for trial in self.trials_of(scheme, setting)
        )

    def trials_of(self, scheme: str, setting: Setting) -> tuple[Trial, ...]:
        """Give the trials of a scheme in one setting: every rate with every seed."""
        return tuple(
            Trial(
                scheme=scheme,
                learning_rate=rate,
                seed=seed,
                **dataclasses.asdict(setting),
            )
            for rate, seed in product(self.learning_rates, self.seeds)
        )

    def is_stacked(self, scheme: str, setting: Setting) -> bool:
        """Say whether nets of an arm train side by side as one: plain dense ones."""
        return (
            self.net == "dense"
            and setting.normalization == "none"
            and not is_policy(scheme)
        )

    def sizes(
        self, n_in: int, n_classes: int, setting: Setting | None = None
    ) -> tuple[int, ...]:
        """Give the units of input, hidden layers and output.

        Args:
            n_in: of the input: a count.
            n_classes: of the output: a count.
            setting: of the net; None: the first.

        >>> Experiment(depth=2, width=8).sizes(64, 10)
        (64, 8, 8, 10)
        """
        chosen = setting or self.settings[0]
        return (n_in, *(chosen.width,) * chosen.depth, n_classes)

    @property
    def key(self) -> str:
        """Give 16 hex digits that are the same for equal experiments, on any machine.

        >>> Experiment().key == Experiment(depth=(20,)).key
        True
        """
        return key_of(plain_settings(self))


def plain_settings(experiment: Experiment) -> dict[str, object]:
    """Give the fields with every factor as a tuple, to be written as JSON."""
    fields = dataclasses.asdict(experiment)
    return fields | {name: values_of(fields[name], name) for name in FACTORS}


def key_of(settings: object) -> str:
    """Hash what JSON can write: 16 hex digits."""
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_policy(spec: str) -> bool:
    """Say whether a spec is a policy's; a scheme of that name would come first.

    >>> is_policy("mup"), is_policy("he_normal")
    (True, False)
    """
    try:
        find_scheme(spec)
    except UnknownNameError:
        try:
            find_policy(spec)
        except UnknownNameError:
            return False
        return True
    return False


def _require_names(experiment: Experiment) -> None:
    known = {"optimizer": OPTIMIZERS, "normalization": NORMALIZATIONS}
    for name, table in known.items():
        for each in values_of(getattr(experiment, name), name):
            _require_known(name, each, table)
    _require_known("task", experiment.task or TASKS[0], TASKS)
    if not is_reference(experiment.net):
        _require_known("net", experiment.net, NETS)
    if not is_known(experiment.data):
        _require_known("dataset", experiment.data, DATASETS)
    for spec in experiment.schemes:
        if not is_policy(spec):
            find_scheme(spec)
    for activation in experiment.activations:
        find_activation(activation)


def _require_list(name: str, values: object) -> None:
    if not isinstance(values, tuple) or not 0 < len(values) == len(set(values)):
        expected = "a tuple with at least one entry and no repetition"
        raise ArgumentError.of(name, values, expected=expected)


def _require_known(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UnknownNameError.of(kind, name, known)
