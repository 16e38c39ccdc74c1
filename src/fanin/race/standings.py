"""Standings: every scheme at its best rate, and how sure the differences are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from fanin.errors import UnknownNameError
from fanin.race.setting import Setting, names_of
from fanin.race.standing import Standing as Standing
from fanin.race.standing import standing_of
from fanin.race.statistics import (
    CONFIDENCE,
    Estimate,
    holm,
    paired_difference,
    paired_p,
)

if TYPE_CHECKING:
    from fanin.race.experiment import Experiment, Failure, TrialResult

SKILL = 1 / 9  # of the way from a guess to 1; below it nothing worth naming is learnt
LEVEL = 0.05  # a difference in score below which two schemes count as level


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Two schemes in one setting, seed by seed on the same draws and batches.

    difference: test score of one minus the other's. p: of Student's paired test;
    p_corrected: Holm's, over every pair of schemes in every setting of the experiment.
    """

    one: Standing
    other: Standing
    difference: Estimate
    p: float
    p_corrected: float

    @property
    def is_clear(self) -> bool:
        """Say whether the seeds tell the two apart: corrected p below 0.05."""
        return self.p_corrected < 1 - CONFIDENCE


@dataclass(frozen=True, kw_only=True)
class Standings:
    """Everything that an experiment showed.

    results: one for each trial that was done; failures: one for each that raised.
    data: the dataset's name; n_train, n_valid, n_test: its samples. sizes: units of
    input, hidden layers and output in the first setting. is_partial: it was stopped
    before its end. seconds: wall time of it all. guess: the score of a guess; None:
    1 / n_classes. task: "classification" or "regression".
    """

    experiment: Experiment
    results: tuple[TrialResult, ...]
    data: str
    n_train: int
    n_test: int
    sizes: tuple[int, ...]
    seconds: float
    is_partial: bool = False
    n_valid: int = 0
    guess: float | None = None
    task: str = "classification"
    failures: tuple[Failure, ...] = ()

    @property
    def chance(self) -> float:
        """Give the score of a guess: always the commonest class, or the mean."""
        if self.guess is not None:
            return self.guess
        return 0.0 if self.task == "regression" else 1 / self.sizes[-1]

    @property
    def metric(self) -> str:
        """Name the score: "accuracy", or of a regression "R²"."""
        return "R²" if self.task == "regression" else "accuracy"

    @cached_property
    def rows(self) -> tuple[Standing, ...]:
        """Give the standing of every arm that is done, in given order.

        Done: every trial is over, and at some rate no seed failed.
        """
        of_arm: dict[tuple[str, Setting], list[TrialResult]] = {}
        for result in self.results:
            arm = (result.trial.scheme, result.trial.setting)
            of_arm.setdefault(arm, []).append(result)
        n_failed = Counter((f.trial.scheme, f.trial.setting) for f in self.failures)
        n_each = len(self.experiment.learning_rates) * len(self.experiment.seeds)
        found = (
            standing_of(self.experiment, of_arm[arm])
            for arm in self.experiment.arms
            if len(of_arm.get(arm, ())) + n_failed[arm] == n_each and arm in of_arm
        )
        return tuple(row for row in found if row is not None)

    @cached_property
    def names(self) -> dict[Setting, str]:
        """Name the settings by what tells them apart: "tanh, depth 20"."""
        return names_of(self.experiment.settings)

    def sizes_of(self, setting: Setting) -> tuple[int, ...]:
        """Give the units of input, hidden layers and output in one setting."""
        return self.experiment.sizes(self.sizes[0], self.sizes[-1], setting)

    def of(self, where: str | Setting) -> tuple[Standing, ...]:
        """Give the standings in a setting, or with an activation, in given order.

        Raises:
            UnknownNameError: if the experiment has no such activation or setting.
        """
        if isinstance(where, Setting):
            return tuple(row for row in self.rows if row.setting == where)
        known = self.experiment.activations
        if where not in known:
            raise UnknownNameError.of(
                kind="activation in this comparison", name=where, known=known
            )
        return tuple(row for row in self.rows if row.activation == where)

    def best(self, where: str | Setting) -> Standing | None:
        """Give the standing with the greatest mean test score; None if none is done.

        Raises:
            UnknownNameError: if the experiment has no such activation.
        """
        rows = self.of(where)
        return max(rows, key=lambda row: row.test_accuracy.mean, default=None)

    def difference(self, one: Standing, other: Standing) -> Estimate:
        """Estimate the test score of one minus the other's, seed by seed."""
        return paired_difference(one.accuracies, other.accuracies)

    @cached_property
    def contrasts(self) -> tuple[Contrast, ...]:
        """Compare every pair of schemes in every setting, corrected for their number.

        Which pairs count is settled before anything is measured: all of them.
        """
        pairs = [
            pair
            for setting in self.experiment.settings
            for pair in combinations(self.of(setting), 2)
        ]
        found = [paired_p(one.accuracies, other.accuracies) for one, other in pairs]
        return tuple(
            Contrast(
                one=one,
                other=other,
                difference=self.difference(one, other),
                p=p,
                p_corrected=corrected,
            )
            for (one, other), p, corrected in zip(
                pairs, found, holm(found), strict=True
            )
        )

    def verdict(self, row: Standing) -> str:
        """Give "works", "lags" or "fails", by the measured test score.

        fails: on average less than a ninth of the way from a guess to 1 (with ten even
        classes: below twice the accuracy of a guess). lags: more than 0.05 below the
        best scheme in this setting. works: neither.
        """
        if row.test_accuracy.mean < self.chance + SKILL * (1 - self.chance):
            return "fails"
        best = self.best(row.setting)
        behind = best.test_accuracy.mean - row.test_accuracy.mean if best else 0.0
        return "lags" if behind > LEVEL else "works"
