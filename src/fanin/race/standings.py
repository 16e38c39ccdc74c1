"""Standings: the best learning rate of every scheme, and how sure its accuracy is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import UnknownNameError
from fanin.race.statistics import Estimate, paired_difference

if TYPE_CHECKING:
    from fanin.graph.cohort import MemberRun
    from fanin.race.experiment import Experiment, TrialResult

AT_CHANCE = (
    2.0  # times the accuracy of a guess: below it nothing worth naming is learnt
)
LEVEL = 0.05  # a difference in accuracy below which two schemes count as level


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One scheme with one activation, at its best learning rate.

    learning_rate: the one with the least final training loss, mean over the seeds; a
    rate at which any seed diverged comes last. edge: "lowest" or "highest" where it is
    at the grid's end, so that a wider grid might do better; else "".
    test_accuracy, train_accuracy: over the seeds. first_loss, final_loss: mean over
    seeds of the training set's loss; final NaN if any seed diverged.
    n_diverged: seeds that diverged at this rate; n_diverged_in_all: at any rate.
    weight_change: largest |W_end − W_start| of each layer over the seeds.
    unit_spread: largest difference between two units of one hidden layer, over layers
    and seeds, after training: 0 when all units are twins. NaN if all diverged.
    is_stuck: no weight moved in any run at any rate, exactly.
    runs: at this rate, in the order of the experiment's seeds.
    seconds: over all rates and seeds.
    """

    scheme: str
    activation: str
    learning_rate: float
    edge: str
    test_accuracy: Estimate
    train_accuracy: Estimate
    first_loss: float
    final_loss: float
    n_diverged: int
    n_diverged_in_all: int
    weight_change: tuple[float, ...]
    unit_spread: float
    is_stuck: bool
    runs: tuple[MemberRun, ...]
    seconds: float

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Give the test accuracy of each seed."""
        return tuple(run.test_accuracy for run in self.runs)


@dataclass(frozen=True, kw_only=True)
class Standings:
    """Everything that an experiment showed.

    results: one for each trial that was done. data: the dataset's name; n_train,
    n_test: its samples. sizes: units of input, hidden layers and output. is_partial:
    it was stopped before its end. seconds: wall time of it all.
    """

    experiment: Experiment
    results: tuple[TrialResult, ...]
    data: str
    n_train: int
    n_test: int
    sizes: tuple[int, ...]
    seconds: float
    is_partial: bool = False

    @property
    def chance(self) -> float:
        """Give the accuracy of a guess: 1 / n_classes."""
        return 1 / self.sizes[-1]

    @cached_property
    def rows(self) -> tuple[Standing, ...]:
        """Give the standing of every pair whose trials are all done, in given order."""
        of_pair: dict[tuple[str, str], list[TrialResult]] = {}
        for result in self.results:
            pair = (result.trial.scheme, result.trial.activation)
            of_pair.setdefault(pair, []).append(result)
        n_each = len(self.experiment.learning_rates) * len(self.experiment.seeds)
        return tuple(
            _standing(self.experiment, of_pair[pair])
            for pair in self.experiment.pairs
            if len(of_pair.get(pair, ())) == n_each
        )

    def of(self, activation: str) -> tuple[Standing, ...]:
        """Give the standings with one activation, in the order of the schemes.

        Raises:
            UnknownNameError: if the experiment has no such activation.
        """
        known = self.experiment.activations
        if activation not in known:
            raise UnknownNameError.of(
                kind="activation in this comparison", name=activation, known=known
            )
        return tuple(row for row in self.rows if row.activation == activation)

    def best(self, activation: str) -> Standing | None:
        """Give the standing with the greatest mean test accuracy; None if none is done.

        Raises:
            UnknownNameError: if the experiment has no such activation.
        """
        rows = self.of(activation)
        return max(rows, key=lambda row: row.test_accuracy.mean, default=None)

    def difference(self, one: Standing, other: Standing) -> Estimate:
        """Estimate the test accuracy of one minus the other's, seed by seed."""
        return paired_difference(one.accuracies, other.accuracies)

    def verdict(self, row: Standing) -> str:
        """Give "works", "lags" or "fails", by the measured test accuracy.

        fails: on average below twice the accuracy of a guess. lags: more than 0.05
        below the best scheme with this activation. works: neither.
        """
        if row.test_accuracy.mean < AT_CHANCE * self.chance:
            return "fails"
        best = self.best(row.activation)
        behind = best.test_accuracy.mean - row.test_accuracy.mean if best else 0.0
        return "lags" if behind > LEVEL else "works"


def _standing(experiment: Experiment, results: list[TrialResult]) -> Standing:
    """Choose the learning rate, and sum up the runs at it."""
    by_rate = {
        rate: _in_order(
            experiment, [r for r in results if r.trial.learning_rate == rate]
        )
        for rate in experiment.learning_rates
    }
    rate = min(by_rate, key=lambda one: _demerit(by_rate[one]))
    runs = by_rate[rate]
    lost = [result.run.diverged_at is not None for result in results]
    kept = [run for run in runs if run.diverged_at is None]
    trial = results[0].trial
    return Standing(
        scheme=trial.scheme,
        activation=trial.activation,
        learning_rate=rate,
        edge=_edge(rate, experiment.learning_rates),
        test_accuracy=Estimate.of([run.test_accuracy for run in runs]),
        train_accuracy=Estimate.of([run.train_accuracy for run in runs]),
        first_loss=_mean([run.first_loss for run in runs]),
        final_loss=_mean([run.final_loss for run in runs]),
        n_diverged=len(runs) - len(kept),
        n_diverged_in_all=sum(lost),
        weight_change=tuple(
            np.max([run.weight_change for run in runs], axis=0).tolist()
        ),
        unit_spread=max((_widest(run) for run in kept), default=math.nan),
        is_stuck=all(not r.run.weight_change.any() for r in results),
        runs=tuple(runs),
        seconds=sum(result.run.seconds for result in results),
    )


def _in_order(experiment: Experiment, results: list[TrialResult]) -> list[MemberRun]:
    return [
        result.run
        for result in sorted(
            results, key=lambda one: experiment.seeds.index(one.trial.seed)
        )
    ]


def _demerit(runs: list[MemberRun]) -> tuple[int, float]:
    """Rank a learning rate: by how many seeds diverged, then by the others' loss.

    A loss tells apart what training accuracies, all 1.000, do not.
    """
    kept = [run.final_loss for run in runs if run.diverged_at is None]
    return len(runs) - len(kept), _mean(kept) if kept else math.inf


def _edge(rate: float, grid: tuple[float, ...]) -> str:
    if len(grid) == 1:
        return ""
    if rate == max(grid):
        return "highest"
    return "lowest" if rate == min(grid) else ""


def _widest(run: MemberRun) -> float:
    return float(run.unit_spread.max()) if run.unit_spread.size else 0.0


def _mean(values: list[float]) -> float:
    return (
        math.fsum(values) / len(values)
        if all(map(math.isfinite, values))
        else (math.inf if math.inf in values else math.nan)
    )
