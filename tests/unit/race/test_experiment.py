"""An experiment is whole, or refused before anything runs."""

from __future__ import annotations

import pytest

from fanin.errors import ArgumentError, UnknownNameError
from fanin.race.experiment import LESSON, Experiment


def test_every_scheme_meets_every_activation_rate_and_seed():
    experiment = Experiment(
        schemes=("zeros", "he_normal"), seeds=(4, 5), learning_rates=(0.1, 0.2, 0.3)
    )
    trials = [t for pair in experiment.pairs for t in experiment.trials(*pair)]

    assert len(set(trials)) == experiment.n_trials == 2 * 2 * 2 * 3


def test_the_lesson_is_the_default():
    assert Experiment().schemes == LESSON


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 0}, "Argument 'depth' must be a whole number of at least 1"),
        ({"width": True}, "Argument 'width' must be a whole number"),
        ({"n_steps": 2.5}, "Argument 'n_steps'"),
        ({"batch_size": -1}, "Argument 'batch_size'"),
        ({"seeds": ()}, "Argument 'seeds' must be a tuple with at least one entry"),
        ({"seeds": (1, 1)}, "no repetition"),
        ({"schemes": "zeros"}, "Argument 'schemes' must be a tuple"),
        ({"learning_rates": (0.1, -0.1)}, "numbers above 0. Received: -0.1"),
        ({"learning_rates": (float("nan"),)}, "numbers above 0"),
    ],
)
def test_a_number_out_of_range_is_refused(change, message):
    with pytest.raises(ArgumentError, match=message):
        Experiment(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schemes": ("he_nornal",)}, "Did you mean 'he_normal'"),
        ({"activations": ("rellu",)}, "Did you mean 'relu'"),
        ({"optimizer": "adamm"}, "Did you mean 'adam'"),
        ({"data": "digit"}, "Did you mean 'digits'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(change, message):
    with pytest.raises(UnknownNameError, match=message):
        Experiment(**change)


def test_numpy_numbers_are_kept_as_pythons_own():
    import numpy as np

    found = Experiment(
        seeds=tuple(np.arange(2)),
        learning_rates=(np.float32(0.5),),
        depth=np.int64(3),
        split_seed=np.int64(1),
    )

    assert (
        found.key
        == Experiment(seeds=(0, 1), learning_rates=(0.5,), depth=3, split_seed=1).key
    )


@pytest.mark.parametrize("seed", ["a", 0.5, -1, True, 2**63])
def test_a_seed_that_no_store_keeps_is_refused(seed):
    with pytest.raises(ArgumentError, match=r"'seeds' must be a whole number from 0"):
        Experiment(seeds=(seed,))
