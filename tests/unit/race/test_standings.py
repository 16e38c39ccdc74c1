"""Standings: the learning rate is chosen without the test set, and edges are told."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from fanin.errors import UnknownNameError
from fanin.graph.cohort import MemberRun, StartProfile
from fanin.race.experiment import Experiment, TrialResult
from fanin.race.standings import Standings

RATES = (1.0, 0.1, 0.01)
NOTHING = StartProfile(
    rms=np.ones(3), between=np.ones(3), gradient_rms=np.ones(2),
    weight_gradient_rms=np.ones(2), samples=(),
)  # fmt: skip


def member(**changes):
    usual = MemberRun(
        losses=np.ones(2), diverged_at=None, first_loss=2.3, final_loss=0.5,
        train_accuracy=0.9, test_accuracy=0.9, weight_change=np.ones(2),
        unit_spread=np.ones(1), start=NOTHING, seconds=1.0,
    )  # fmt: skip
    return dataclasses.replace(usual, **changes)


LOST = {
    "diverged_at": 1,
    "final_loss": math.nan,
    "train_accuracy": 0.1,
    "test_accuracy": 0.1,
    "weight_change": np.full(2, np.nan),
    "unit_spread": np.full(1, np.nan),
}


def standings(runs, **changes):
    """Make standings of runs(scheme, rate, seed) → what differs from the usual run."""
    settings = {
        "schemes": ("he_normal",), "activations": ("relu",), "seeds": (0, 1),
        "learning_rates": RATES,
    }  # fmt: skip
    experiment = Experiment(**(settings | changes))
    trials = [t for pair in experiment.pairs for t in experiment.trials(*pair)]
    return Standings(
        experiment=experiment,
        results=tuple(
            TrialResult(
                trial=t, run=member(**runs(t.scheme, t.learning_rate, t.seed))
            )
            for t in trials
        ),
        data="digits", n_train=100, n_test=50, sizes=(64, 8, 10), seconds=1.0,
    )  # fmt: skip


def test_the_rate_with_the_least_training_loss_is_chosen_not_the_best_on_the_test():
    def runs(_, rate, __):
        return {"final_loss": abs(math.log10(rate) + 1), "test_accuracy": 1 - rate / 2}

    (row,) = standings(runs).rows

    assert row.learning_rate == 0.1
    assert row.test_accuracy.mean == 0.95
    assert row.edge == ""


@pytest.mark.parametrize(("best", "edge"), [(1.0, "highest"), (0.01, "lowest")])
def test_a_choice_at_the_grids_end_is_flagged(best, edge):
    (row,) = standings(lambda _, rate, __: {"final_loss": float(rate != best)}).rows

    assert (row.learning_rate, row.edge) == (best, edge)


def test_a_rate_at_which_a_seed_diverged_comes_last():
    def runs(_, rate, seed):
        return LOST if rate == 1.0 and seed == 1 else {"final_loss": 1 / rate}

    (row,) = standings(runs).rows

    assert row.learning_rate == 0.1
    assert (row.n_diverged, row.n_diverged_in_all) == (0, 1)


def test_a_scheme_that_always_diverges_is_a_result():
    (row,) = standings(lambda *_: LOST).rows

    assert (row.n_diverged, row.n_diverged_in_all) == (2, 6)
    assert math.isnan(row.final_loss)
    assert math.isnan(row.unit_spread)
    assert row.test_accuracy.mean == pytest.approx(0.1)


def test_a_net_that_never_moved_is_stuck_and_one_that_moved_once_is_not():
    still = standings(lambda *_: {"weight_change": np.zeros(2)})
    moved = standings(
        lambda _, rate, seed: {"weight_change": np.full(2, (rate, seed) == (1.0, 1))}
    )

    assert still.rows[0].is_stuck
    assert not moved.rows[0].is_stuck


def test_a_net_that_diverged_is_not_called_stuck():
    assert not standings(lambda *_: LOST).rows[0].is_stuck


@pytest.mark.parametrize(
    ("accuracy", "verdict"),
    [(0.19, "fails"), (0.21, "lags"), (0.84, "lags"), (0.86, "works")],
)
def test_a_verdict_follows_the_measured_accuracy(accuracy, verdict):
    found = standings(
        lambda scheme, *_: {"test_accuracy": accuracy if scheme == "zeros" else 0.9},
        schemes=("he_normal", "zeros"),
    )

    best, other = found.rows
    assert (found.verdict(best), found.verdict(other)) == ("works", verdict)


def test_the_best_has_the_greatest_mean_test_accuracy():
    found = standings(
        lambda scheme, *_: {"test_accuracy": 0.5 + 0.4 * (scheme == "lecun_normal")},
        schemes=("he_normal", "lecun_normal", "zeros"),
    )

    assert found.best("relu").scheme == "lecun_normal"


def test_an_activation_that_was_not_compared_is_refused():
    with pytest.raises(UnknownNameError, match="no activation in this comparison"):
        standings(lambda *_: {}).best("tanh")


def test_a_pair_with_trials_missing_has_no_standing():
    whole = standings(lambda *_: {})
    part = dataclasses.replace(whole, results=whole.results[:-1])

    assert part.rows == ()
