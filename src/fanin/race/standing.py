"""A standing: a scheme in a setting, at the learning rate that suits it best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fanin.race.statistics import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fanin.graph.cohort import MemberRun
    from fanin.race.experiment import Experiment, TrialResult
    from fanin.race.setting import Setting


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One scheme in one setting, at its best learning rate.

    learning_rate: the one with the greatest score on the validation part, mean over
    the seeds, and of equal ones that with the least loss there (with no validation
    part: the least final training loss); a rate at which any seed diverged comes last.
    edge: "lowest" or "highest" where it is at the grid's end, so that a wider grid
    might do better; else "".
    test_accuracy, valid_accuracy, train_accuracy: over the seeds; of a regression R².
    first_loss, final_loss: mean over seeds of the training set's loss; final NaN if
    any seed diverged.
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
    setting: Setting
    valid_accuracy: Estimate

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Give the test accuracy of each seed."""
        return tuple(run.test_accuracy for run in self.runs)


def standing_of(experiment: Experiment, results: list[TrialResult]) -> Standing | None:
    """Choose the learning rate, and sum up the runs at it; None if none is whole."""
    n_seeds = len(experiment.seeds)
    by_rate = {
        rate: _in_order(
            experiment, [r for r in results if r.trial.learning_rate == rate]
        )
        for rate in experiment.learning_rates
    }
    whole = {r: runs for r, runs in by_rate.items() if len(runs) == n_seeds}
    if not whole:
        return None
    rate = min(whole, key=lambda one: _demerit(whole[one]))
    runs = by_rate[rate]
    lost = [result.run.diverged_at is not None for result in results]
    kept = [run for run in runs if run.diverged_at is None]
    trial = results[0].trial
    return Standing(
        scheme=trial.scheme,
        activation=trial.activation,
        setting=trial.setting,
        learning_rate=rate,
        edge=_edge(rate, experiment.learning_rates),
        test_accuracy=Estimate.of([run.test_accuracy for run in runs]),
        valid_accuracy=Estimate.of([run.valid_accuracy for run in runs]),
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


def _demerit(runs: list[MemberRun]) -> tuple[int, float, float]:
    """Rank a learning rate: by how many seeds diverged, then by the validation part.

    Its score comes first, as a score is what is reported; its loss tells apart what
    scores, all 1.000, do not. Without a validation part the training loss must serve.
    """
    kept = [run for run in runs if run.diverged_at is None]
    if not kept:
        return len(runs), math.inf, math.inf
    score = _mean([run.valid_accuracy for run in kept])
    if math.isnan(score):
        return (
            len(runs) - len(kept),
            0.0,
            _last_if_unknown(run.final_loss for run in kept),
        )
    return (
        len(runs) - len(kept),
        -score,
        _last_if_unknown(run.valid_loss for run in kept),
    )


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


def _last_if_unknown(losses: Iterable[float]) -> float:
    """Give the mean; infinity, which comes last, where a loss is no number."""
    mean = _mean(list(losses))
    return math.inf if math.isnan(mean) else mean
