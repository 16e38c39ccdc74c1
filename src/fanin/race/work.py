"""What one process does at a time: draw, train and measure a few nets of one kind."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from fanin.errors import FaninError
from fanin.race.cohorts import cohort_of
from fanin.race.experiment import Failure, TrialResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.graph.cohort import MemberRun, Train
    from fanin.race.data import Dataset
    from fanin.race.experiment import Experiment
    from fanin.race.setting import Trial

    Chunk = tuple[Trial, ...]
    TrainEach = Callable[[Experiment, Sequence[Trial], Dataset], tuple[MemberRun, ...]]

MOST_MEMBERS = 12  # nets trained side by side: more gain nothing


@dataclass(frozen=True, kw_only=True)
class Trainers:
    """Who trains. Both must be importable by name, as other processes run them.

    stacked: trains plain dense nets side by side. each: trains nets of any other kind,
    all of one scheme, one setting and one seed, one after the other.
    """

    stacked: Train
    each: TrainEach | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a chunk. cause: the first error, where it is one of fanin's own."""

    results: tuple[TrialResult, ...] = ()
    failures: tuple[Failure, ...] = ()
    cause: FaninError | None = None

    @property
    def n_trials(self) -> int:
        """How many trials are over: a count."""
        return len(self.results) + len(self.failures)


@dataclass(frozen=True, kw_only=True)
class Work:
    """A function of a chunk, with all that it needs; it is sent to other processes.

    folder: where the run was asked for, from which a user's code is imported.
    """

    experiment: Experiment
    data: Dataset
    trainers: Trainers
    folder: str

    def __call__(self, chunk: Chunk) -> Outcome:
        """Train a chunk; where it raises, each of its trials alone, to keep the rest.

        A trial that raises is a failed trial.
        """
        if self.folder not in sys.path and Path(self.folder).is_dir():
            sys.path.insert(0, self.folder)
        try:
            return Outcome(results=self._train(chunk))
        except Exception as error:
            if len(chunk) > 1:
                return _together([self((trial,)) for trial in chunk])
            failure = Failure(trial=chunk[0], error=_told(error))
            cause = error if isinstance(error, FaninError) else None
            return Outcome(failures=(failure,), cause=cause)

    def _train(self, chunk: Chunk) -> tuple[TrialResult, ...]:
        trial = chunk[0]
        each = self.trainers.each
        if self.experiment.is_stacked(trial.scheme, trial.setting) or each is None:
            cohort = cohort_of(self.experiment, chunk, self.data)
            runs = self.trainers.stacked(cohort)
        else:
            runs = each(self.experiment, chunk, self.data)
        return tuple(
            TrialResult(trial=trial, run=run)
            for trial, run in zip(chunk, runs, strict=True)
        )


def chunks_of(experiment: Experiment, done: frozenset[Trial]) -> list[Chunk]:
    """Cut the trials that are still to do into what one process does at a time.

    Plain dense nets: at most twelve of one arm, in parts of nearly equal size. Others:
    the learning rates of one seed, as they share their initial weights.
    """
    chunks: list[Chunk] = []
    for scheme, setting in experiment.arms:
        trials = [t for t in experiment.trials_of(scheme, setting) if t not in done]
        if not trials:
            continue
        if experiment.is_stacked(scheme, setting):
            n_chunks = -(-len(trials) // MOST_MEMBERS)
            cuts = [i * len(trials) // n_chunks for i in range(n_chunks + 1)]
            chunks += [tuple(trials[a:b]) for a, b in pairwise(cuts)]
        else:
            chunks += [
                tuple(t for t in trials if t.seed == seed) for seed in experiment.seeds
            ]
    return [chunk for chunk in chunks if chunk]


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    return Outcome(
        results=tuple(r for one in outcomes for r in one.results),
        failures=tuple(f for one in outcomes for f in one.failures),
        cause=next((one.cause for one in outcomes if one.cause), None),
    )


def _told(error: Exception) -> str:
    """Give an error in one line, with the place that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"
    return f"{type(error).__name__}: {error}{where}"
