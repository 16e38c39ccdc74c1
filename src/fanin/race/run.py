"""Run an experiment: one process a core, results as they come, Ctrl-C keeps them."""

from __future__ import annotations

import os
import time
from itertools import pairwise
from typing import TYPE_CHECKING

from fanin.errors import MissingDependencyError
from fanin.race.cohorts import cohort_of
from fanin.race.data import load
from fanin.race.experiment import TrialResult
from fanin.race.standings import Standings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fanin.graph.cohort import Train
    from fanin.race.data import Dataset
    from fanin.race.experiment import Experiment, Trial

    Chunk = tuple[TrialResult, ...]

MOST_MEMBERS = 12  # nets trained side by side: more gain nothing


def run(
    experiment: Experiment,
    train: Train,
    *,
    data: Dataset | None = None,
    n_jobs: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Standings:
    """Train every trial and rank the schemes.

    Args:
        experiment: what is compared.
        train: trains a cohort; of the framework's own. It must be importable by name,
            as other processes run it.
        data: in place of the experiment's dataset.
        n_jobs: processes; None for one a core. With 1 all runs in this process.
        on_progress: called with trials done and trials in all, first with 0.

    Returns:
        The standings. After Ctrl-C those of the trials that were done, marked partial.

    Raises:
        MissingDependencyError: if scikit-learn or joblib is needed and not there.
        FaninError: what ``train`` raises, such as an activation it does not have.
    """
    began = time.perf_counter()
    task = data or load(experiment.data, split_seed=experiment.split_seed)
    done: list[TrialResult] = []
    report = on_progress or (lambda *_: None)
    report(0, experiment.n_trials)
    is_partial = False
    results = _results(experiment, train, task, n_jobs or _n_cores())
    try:
        for chunk in results:
            done += chunk
            report(len(done), experiment.n_trials)
    except KeyboardInterrupt:
        is_partial = True
    return Standings(
        experiment=experiment,
        results=tuple(done),
        data=task.name,
        n_train=len(task.targets),
        n_test=len(task.test_targets),
        sizes=experiment.sizes(task.n_in, task.n_classes),
        seconds=time.perf_counter() - began,
        is_partial=is_partial,
    )


def _chunks(experiment: Experiment) -> list[Sequence[Trial]]:
    """Cut the trials of each pair into cohorts of nearly equal size."""
    chunks: list[Sequence[Trial]] = []
    for scheme, activation in experiment.pairs:
        trials = experiment.trials(scheme, activation)
        n_chunks = -(-len(trials) // MOST_MEMBERS)
        cuts = [i * len(trials) // n_chunks for i in range(n_chunks + 1)]
        chunks += [trials[a:b] for a, b in pairwise(cuts)]
    return chunks


def _results(
    experiment: Experiment, train: Train, data: Dataset, n_jobs: int
) -> Iterator[Chunk]:
    """Yield each cohort's results, in the order in which they are done.

    joblib sends out few more than run at once, so that Ctrl-C finds little to undo.
    """
    chunks = _chunks(experiment)
    if n_jobs == 1 or len(chunks) == 1:
        yield from (_run_chunk(experiment, chunk, data, train) for chunk in chunks)
        return
    try:
        from joblib import Parallel, delayed
    except ImportError as missing:
        purpose = "Training on several cores"
        raise MissingDependencyError.of(
            package="joblib", purpose=purpose, extra="data"
        ) from missing
    pool = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    yield from pool(
        delayed(_run_chunk)(experiment, chunk, data, train) for chunk in chunks
    )


def _run_chunk(
    experiment: Experiment, chunk: Sequence[Trial], data: Dataset, train: Train
) -> Chunk:
    """Draw, train and measure one cohort: what one process does at a time."""
    runs = train(cohort_of(experiment, chunk, data))
    return tuple(
        TrialResult(trial=trial, run=member)
        for trial, member in zip(chunk, runs, strict=True)
    )


def _n_cores() -> int:
    """Give the cores that this process may use: a count."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
