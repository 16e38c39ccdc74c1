"""Running: every trial once, in any number of processes, and what Ctrl-C leaves."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from fanin.errors import MissingDependencyError, UsageError
from fanin.frameworks.torch.ensemble import train
from fanin.graph.cohort import MemberRun, StartProfile
from fanin.race.experiment import Experiment
from fanin.race.run import run

SMALL = Experiment(
    schemes=("zeros", "glorot_normal", "normal(std=1)"),
    activations=("tanh", "relu"),
    seeds=(0, 1),
    learning_rates=(0.5, 0.1),
    depth=3,
    width=16,
    n_steps=40,
    batch_size=32,
    data="moons",
)


def instant(cohort):
    """Train nothing: what is asked is whether all trials come back."""
    empty = np.zeros(3)
    start = StartProfile(
        rms=empty, between=empty, gradient_rms=empty, weight_gradient_rms=empty,
        samples=(),
    )  # fmt: skip
    return tuple(
        MemberRun(
            losses=np.ones(2), diverged_at=None, first_loss=1.0, final_loss=rate,
            train_accuracy=0.5, test_accuracy=0.5, weight_change=np.ones(4),
            unit_spread=np.ones(3), start=start, seconds=0.0,
        )
        for rate in cohort.learning_rates
    )  # fmt: skip


def test_every_trial_is_run_once_and_progress_ends_at_all():
    seen = []
    standings = run(SMALL, instant, n_jobs=1, on_progress=lambda *at: seen.append(at))

    trials = {result.trial for result in standings.results}
    assert len(trials) == len(standings.results) == SMALL.n_trials
    assert seen[0] == (0, 24)
    assert seen[-1] == (24, 24)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_two_processes_give_what_one_gives():
    alone = run(SMALL, train, n_jobs=1)
    both = run(SMALL, train, n_jobs=2)

    for one, two in zip(alone.rows, both.rows, strict=True):
        assert (one.scheme, one.learning_rate) == (two.scheme, two.learning_rate)
        assert one.accuracies == two.accuracies


def test_an_interrupt_keeps_what_is_done_and_says_so():
    def interrupted(cohort):
        if cohort.activation == "relu":
            raise KeyboardInterrupt
        return instant(cohort)

    standings = run(SMALL, interrupted, n_jobs=1)

    assert standings.is_partial
    assert len(standings.results) == 12
    assert {row.activation for row in standings.rows} == {"tanh"}
    assert standings.best("relu") is None


def test_an_error_of_the_trainer_is_not_swallowed():
    def broken(cohort):
        raise UsageError

    with pytest.raises(UsageError):
        run(SMALL, broken, n_jobs=1)


def test_without_joblib_the_line_that_installs_it_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "joblib", None)

    with pytest.raises(MissingDependencyError, match=r"pip install 'fanin\[data\]'"):
        run(SMALL, instant, n_jobs=2)


def test_a_run_can_be_repeated_to_the_bit():
    one, two = run(SMALL, train, n_jobs=1), run(SMALL, train, n_jobs=1)

    for a, b in zip(one.results, two.results, strict=True):
        assert np.array_equal(a.run.losses, b.run.losses, equal_nan=True)
