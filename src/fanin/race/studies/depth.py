"""The depth study: which depths train at which σ_w, beside what theory expects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import ArgumentError
from fanin.race.experiment import Experiment
from fanin.race.run import run
from fanin.race.studies.reach import reach_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph.cohort import Train
    from fanin.race.studies.reach import Reach


@dataclass(frozen=True, kw_only=True)
class DepthStudy:
    """Plain dense nets over depth and σ_w; each pair gets its own best learning rate.

    activation: a name. sigmas: σ_w = √(fan_in·Var[w]) of the normal weights; biases
    start at 0. depths: hidden layers. All else as of `Experiment`.

    Raises:
        ArgumentError, UnknownNameError: as `Experiment`.

    >>> DepthStudy().n_trials
    432
    """

    activation: str = "tanh"
    sigmas: tuple[float, ...] = (0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.7, 2.2)
    depths: tuple[int, ...] = (4, 8, 16, 32)
    seeds: tuple[int, ...] = (0, 1, 2)
    width: int = 128
    optimizer: str = "sgd"
    learning_rates: tuple[float, ...] = (0.1, 0.03, 0.01, 0.003)
    n_steps: int = 200
    batch_size: int = 64
    data: str = "digits"
    framework: str = "torch"

    def __post_init__(self) -> None:
        for name in ("sigmas", "depths"):
            listed = getattr(self, name)
            if not listed or list(listed) != sorted(set(listed)) or listed[0] <= 0:
                expected = "numbers above 0, in rising order"
                raise ArgumentError.of(
                    argument=name, received=listed, expected=expected
                )
        for depth in self.depths:
            self.experiment(depth)

    @property
    def n_trials(self) -> int:
        """How many nets are trained: a count."""
        n_each = len(self.learning_rates) * len(self.seeds)
        return len(self.depths) * len(self.sigmas) * n_each

    def experiment(self, depth: int) -> Experiment:
        """Give the race at one depth: every σ_w is a scheme."""
        return Experiment(
            schemes=tuple(f"lecun_normal(gain={sigma:g})" for sigma in self.sigmas),
            activations=(self.activation,),
            seeds=self.seeds,
            depth=depth,
            width=self.width,
            optimizer=self.optimizer,
            learning_rates=self.learning_rates,
            n_steps=self.n_steps,
            batch_size=self.batch_size,
            data=self.data,
            framework=self.framework,
            valid_share=0.0,  # the accuracy shown is that of the samples trained on
        )


@dataclass(frozen=True, kw_only=True)
class DepthMap:
    """What a depth study showed.

    accuracy: on the training set, at the best learning rate, mean over seeds: "depth
    sigma". rates: that learning rate, "depth sigma". chance: accuracy of a guess.
    seconds: wall time.
    """

    study: DepthStudy
    accuracy: np.ndarray
    rates: np.ndarray
    chance: float
    seconds: float

    @cached_property
    def reaches(self) -> tuple[Reach, ...]:
        """Give what theory says of each σ_w."""
        return tuple(reach_of(self.study.activation, s) for s in self.study.sigmas)

    @property
    def level(self) -> float:
        """Give the accuracy above which a net counts as trained: half way from a guess.

        Half way to the best of the study.
        """
        return 0.5 * (self.chance + float(self.accuracy.max()))

    @property
    def trained(self) -> np.ndarray:
        """Say which nets trained: booleans, "depth sigma"."""
        return self.accuracy > self.level

    @property
    def expected(self) -> np.ndarray:
        """Say which are no deeper than 6ξ: booleans, "depth sigma"."""
        limits = np.array([min(r.n_layers, inf) for r in self.reaches])
        found: np.ndarray = np.array(self.study.depths)[:, None] <= limits
        return found

    @property
    def n_as_expected(self) -> int:
        """Count the nets of which theory foretold whether they train."""
        return int((self.trained == self.expected).sum())

    @cached_property
    def deepest(self) -> tuple[int, ...]:
        """Give, for each σ_w, the greatest depth that trained; 0 if none did."""
        return tuple(
            max(
                (d for d, is_on in zip(self.study.depths, on, strict=True) if is_on),
                default=0,
            )
            for on in self.trained.T
        )


def run_depths(
    study: DepthStudy,
    train: Train,
    *,
    n_jobs: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> DepthMap:
    """Train every net of a study.

    Args:
        study: what is trained.
        train: as of `fanin.race.run`.
        n_jobs: processes; None for one a core.
        on_progress: called with nets done and nets in all.

    Raises:
        KeyboardInterrupt: after Ctrl-C: half a map would mislead.
    """
    accuracy, rates = [], []
    done, seconds, chance = 0, 0.0, 0.0
    tell = on_progress or (lambda _done, _total: None)
    for depth in study.depths:
        before = done

        def told(n: int, _total: int, before: int = before) -> None:
            tell(before + n, study.n_trials)

        found = run(study.experiment(depth), train, n_jobs=n_jobs, on_progress=told)
        if found.is_partial:
            raise KeyboardInterrupt
        rows = {row.scheme: row for row in found.rows}
        in_order = [rows[scheme] for scheme in found.experiment.schemes]
        accuracy.append([row.train_accuracy.mean for row in in_order])
        rates.append([row.learning_rate for row in in_order])
        done += found.experiment.n_trials
        seconds += found.seconds
        chance = found.chance
    return DepthMap(
        study=study,
        accuracy=np.array(accuracy),
        rates=np.array(rates),
        chance=chance,
        seconds=seconds,
    )
