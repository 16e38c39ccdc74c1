"""Run an experiment: results as they come, written down at once, Ctrl-C keeps them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fanin.errors import ModelError
from fanin.race.data import load
from fanin.race.engines import Lost, find_engine
from fanin.race.experiment import Failure
from fanin.race.standings import Standings
from fanin.race.work import Outcome, Trainers, Work, chunks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fanin.graph.cohort import Train
    from fanin.race.data import Dataset
    from fanin.race.engines import Engine
    from fanin.race.experiment import Experiment


class Journal(Protocol):
    """Where outcomes are kept. Only this process writes; engines send them here."""

    def known(self) -> Outcome:
        """Give what is over already."""
        ...

    def add(self, outcome: Outcome) -> None:
        """Keep what came, durably, before the next comes."""
        ...


def run(  # noqa: PLR0913 (each is one wish a person has)
    experiment: Experiment,
    train: Train | Trainers,
    *,
    data: Dataset | None = None,
    n_jobs: int | None = None,
    engine: Engine | None = None,
    journal: Journal | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Standings:
    """Train every trial and rank the schemes.

    Args:
        experiment: what is compared.
        train: trains a cohort; of the framework's own. `Trainers`, where nets other
            than plain dense ones are to be trained as well.
        data: in place of the experiment's dataset.
        n_jobs: processes on this machine; None for one a core. With 1 all runs in this
            process.
        engine: in place of this machine's cores.
        journal: gets every outcome as it comes, and says what is done already.
        on_progress: called with trials done and trials in all, first with what the
            journal knows.

    Returns:
        The standings. After Ctrl-C those of the trials that were done, marked partial.
        A trial that raised is in ``failures``.

    Raises:
        MissingDependencyError: if scikit-learn or joblib is needed and not there.
        FaninError: if every trial failed: what the first one raised, such as an
            activation that the framework does not have.
    """
    began = time.perf_counter()
    task = data or load_for(experiment)
    work = Work(
        experiment=experiment,
        data=task,
        trainers=train if isinstance(train, Trainers) else Trainers(stacked=train),
        folder=str(Path.cwd()),
    )
    outcomes = [journal.known()] if journal else []
    apply = engine or find_engine(n_jobs=n_jobs)
    is_partial = False
    report = on_progress or (lambda *_: None)
    report(_n_over(outcomes), experiment.n_trials)
    try:
        for outcome in _outcomes(work, apply, outcomes):
            if journal:
                journal.add(outcome)
            outcomes.append(outcome)
            report(_n_over(outcomes), experiment.n_trials)
    except KeyboardInterrupt:
        is_partial = True
    _require_any(outcomes, is_partial=is_partial)
    return standings_of(
        experiment,
        task,
        outcomes,
        seconds=time.perf_counter() - began,
        is_partial=is_partial,
    )


def load_for(experiment: Experiment) -> Dataset:
    """Load an experiment's data, split as it says."""
    return load(
        experiment.data,
        split_seed=experiment.split_seed,
        valid_share=experiment.valid_share,
        target=experiment.target_column,
        task=experiment.task,
    )


def standings_of(
    experiment: Experiment,
    task: Dataset,
    outcomes: list[Outcome],
    *,
    seconds: float,
    is_partial: bool,
) -> Standings:
    """Put outcomes in the experiment's order, whatever the order they came in."""
    trials = [t for arm in experiment.arms for t in experiment.trials_of(*arm)]
    place = {trial: i for i, trial in enumerate(trials)}
    results = [result for one in outcomes for result in one.results]
    failures = [failure for one in outcomes for failure in one.failures]
    return Standings(
        experiment=experiment,
        results=tuple(sorted(results, key=lambda one: place[one.trial])),
        data=task.name,
        n_train=len(task.targets),
        n_test=len(task.test_targets),
        sizes=experiment.sizes(task.n_in, task.n_out),
        seconds=seconds,
        is_partial=is_partial,
        n_valid=task.n_valid,
        guess=task.guess,
        task=task.task,
        failures=tuple(sorted(failures, key=lambda one: place[one.trial])),
    )


def _outcomes(work: Work, apply: Engine, before: list[Outcome]) -> Iterator[Outcome]:
    """Yield what comes of every chunk that is still to do."""
    done = frozenset(r.trial for one in before for r in one.results)
    chunks = chunks_of(work.experiment, done)
    for found in apply(work, chunks):
        yield (
            _given_up(chunks[found.place], found) if isinstance(found, Lost) else found
        )


def _given_up(chunk: Any, lost: Lost) -> Outcome:  # noqa: ANN401 (a tuple of trials)
    error = f"The process that trained it was lost, time after time: {lost.reason}"
    failures = tuple(Failure(trial=trial, error=error) for trial in chunk)
    return Outcome(failures=failures)


def _n_over(outcomes: list[Outcome]) -> int:
    return sum(outcome.n_trials for outcome in outcomes)


def _require_any(outcomes: list[Outcome], *, is_partial: bool) -> None:
    """Raise what the first trial raised, where no trial has a result."""
    failures = [failure for one in outcomes for failure in one.failures]
    if is_partial or not failures or any(one.results for one in outcomes):
        return
    cause = next((one.cause for one in outcomes if one.cause), None)
    if cause is not None:
        raise cause
    message = f"Every trial failed; the first one with: {failures[0].error}"
    raise ModelError(message)
