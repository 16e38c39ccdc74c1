"""Factors with several values, and rates chosen where no net is trained or judged."""

from __future__ import annotations

import dataclasses
import math

import pytest

from fanin.errors import ArgumentError, UnknownNameError
from fanin.race.experiment import Experiment, Failure, is_policy
from fanin.race.setting import Setting
from tests.unit.race.test_standings import LOST, standings


def test_every_scheme_meets_every_combination_of_the_factors():
    experiment = Experiment(
        schemes=("zeros", "auto"), activations=("relu",), depth=(2, 4), width=(8, 16),
        optimizer=("sgd", "adamw"), normalization=("none", "rms"), seeds=(0,),
        learning_rates=(0.1,),
    )  # fmt: skip

    assert len(set(experiment.settings)) == 16
    assert experiment.n_trials == len(set(experiment.arms)) == 32
    trials = {t for arm in experiment.arms for t in experiment.trials_of(*arm)}
    assert len(trials) == 32


def test_one_value_and_a_tuple_of_it_are_the_same_experiment():
    assert Experiment(depth=(5,)).key == Experiment(depth=5).key
    assert Experiment(depth=5).key != Experiment(depth=6).key


def test_a_scheme_comes_before_a_policy_of_its_name():
    assert [is_policy(s) for s in ("auto", "mup(width=64)", "he_normal", "zeros")] == [
        True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"schemes": ("autoo",)}, UnknownNameError, "autoo"),
        ({"normalization": "bach"}, UnknownNameError, "Did you mean 'batch'"),
        ({"depth": (3, 3)}, ArgumentError, "no repetition"),
        ({"depth": (3, 0)}, ArgumentError, "at least 1"),
        ({"net": "resnet"}, UnknownNameError, "dense"),
        ({"valid_share": 1.0}, ArgumentError, "below 1"),
        ({"task": "ranking"}, UnknownNameError, "regression"),
    ],
)
def test_a_factor_that_is_not_known_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        Experiment(**change)


def test_the_rate_is_chosen_on_the_validation_part_alone():
    def runs(_, rate, __):
        # The training loss favours 1.0, the test set 0.01; the validation part 0.1.
        return {
            "final_loss": 1 / rate,
            "test_accuracy": 0.9 - rate / 10,
            "valid_accuracy": 0.8 + 0.1 * (rate == 0.1),
            "valid_loss": 0.3,
        }

    (row,) = standings(runs).rows
    assert row.learning_rate == 0.1
    assert row.valid_accuracy.mean == pytest.approx(0.9)


def test_equal_validation_scores_are_told_apart_by_the_loss_there():
    def runs(_, rate, __):
        return {"valid_accuracy": 1.0, "valid_loss": rate, "final_loss": 1 / rate}

    (row,) = standings(runs).rows
    assert (row.learning_rate, row.edge) == (0.01, "lowest")


def test_a_rate_that_diverged_is_never_chosen_by_its_validation_score():
    def runs(_, rate, __):
        if rate == 1.0:
            return LOST | {"valid_accuracy": 0.99, "valid_loss": math.nan}
        return {"valid_accuracy": 0.5, "valid_loss": 0.3}

    (row,) = standings(runs).rows
    assert row.learning_rate != 1.0


def test_a_rate_with_a_failed_trial_is_not_chosen_and_an_arm_of_failures_has_no_row():
    whole = standings(lambda *_: {"valid_accuracy": 0.5, "valid_loss": 0.1})

    def without(is_failed):
        return dataclasses.replace(
            whole,
            results=tuple(r for r in whole.results if not is_failed(r.trial)),
            failures=tuple(
                Failure(trial=r.trial, error="x")
                for r in whole.results
                if is_failed(r.trial)
            ),
        )

    (row,) = without(lambda t: t.learning_rate == 1.0 and t.seed == 1).rows
    assert row.learning_rate == 0.1
    assert without(lambda t: t.seed == 1).rows == ()


def test_schemes_are_compared_within_their_setting_only():
    def runs(scheme, rate, seed):
        return {"test_accuracy": 0.9 if scheme == "he_normal" else 0.6 + seed / 100}

    found = standings(runs, schemes=("he_normal", "zeros", "auto"), depth=(3, 6))

    assert len(found.contrasts) == 2 * 3
    assert all(c.one.setting == c.other.setting for c in found.contrasts)
    first = found.contrasts[0]
    assert first.difference.mean == pytest.approx(0.9 - 0.605)
    assert first.p_corrected == pytest.approx(min(6 * first.p, 1), rel=0.5)
    assert first.p_corrected >= first.p


@pytest.mark.parametrize(
    ("task", "guess", "score", "verdict"),
    [
        ("classification", 0.5, 0.55, "fails"),
        ("classification", 0.5, 0.56, "lags"),
        ("classification", 0.63, 0.66, "fails"),
        ("regression", 0.0, 0.11, "fails"),
        ("regression", 0.0, 0.12, "lags"),
        ("regression", 0.0, 0.86, "works"),
    ],
)
def test_what_counts_as_learning_starts_from_a_guess(task, guess, score, verdict):
    found = standings(
        lambda scheme, *_: {"test_accuracy": score if scheme == "zeros" else 0.9},
        schemes=("he_normal", "zeros"),
    )
    found = dataclasses.replace(found, task=task, guess=guess)

    assert found.verdict(found.rows[1]) == verdict


def test_settings_are_named_by_what_tells_them_apart():
    found = standings(lambda *_: {}, depth=(3, 6), normalization=("none", "batch"))

    assert list(found.names.values()) == [
        "relu, depth 3, no norm",
        "relu, depth 3, batch norm",
        "relu, depth 6, no norm",
        "relu, depth 6, batch norm",
    ]
    assert found.of(Setting(activation="relu", depth=3, width=64)) != ()
    assert found.sizes_of(Setting(activation="relu", depth=1, width=5)) == (64, 5, 10)
