"""A cohort trained in Keras goes as it does in torch, on both backends."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import keras
import numpy as np
import pytest

from fanin.activations import find_activation
from fanin.errors import UnknownNameError
from fanin.frameworks.keras.arrays import to_numpy
from fanin.frameworks.keras.dense import FUNCTIONS, dense_net
from fanin.frameworks.keras.ensemble import train
from fanin.frameworks.torch.ensemble import train as train_in_torch
from fanin.graph.cohort import Cohort

SIZES = (5, 8, 8, 3)
RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.standard_normal((60, 5)).astype(np.float32)
TARGETS = (INPUTS[:, 0] > 0).astype(np.int64) + (INPUTS[:, 1] > 0.5)
WEIGHTS = tuple(
    (RANDOM.standard_normal((3, b, a)) * 0.6).astype(np.float32)
    for a, b in pairwise(SIZES)
)
BATCHES = RANDOM.integers(0, 40, (3, 8, 6))


def cohort(**changes):
    usual = Cohort(
        sizes=SIZES,
        activation="tanh",
        optimizer="sgd",
        weights=WEIGHTS,
        learning_rates=np.array([0.3, 0.05, 0.01]),
        batches=BATCHES,
        inputs=INPUTS[:40],
        targets=TARGETS[:40],
        test_inputs=INPUTS[40:],
        test_targets=TARGETS[40:],
        probe=np.arange(30),
    )
    return dataclasses.replace(usual, **changes)


@pytest.mark.parametrize(
    ("optimizer", "tolerance"),
    # Keras adds Adam's 1e-8 to the root before it is corrected, torch after.
    [("sgd", 2e-5), ("momentum", 2e-5), ("adam", 1e-3), ("adamw", 1e-3)],
)
def test_a_cohort_goes_as_in_torch(optimizer, tolerance):
    changed = cohort(optimizer=optimizer)

    for mine, torchs in zip(train(changed), train_in_torch(changed), strict=True):
        assert mine.losses == pytest.approx(torchs.losses, rel=tolerance)
        assert mine.first_loss == pytest.approx(torchs.first_loss, rel=1e-5)
        assert mine.final_loss == pytest.approx(torchs.final_loss, rel=tolerance)
        assert mine.test_accuracy == pytest.approx(torchs.test_accuracy)
        change = pytest.approx(torchs.weight_change, rel=10 * tolerance)
        assert mine.weight_change == change
        assert mine.unit_spread == pytest.approx(torchs.unit_spread, rel=tolerance)


def test_the_start_is_the_same_as_in_torch():
    mine, torchs = train(cohort())[1].start, train_in_torch(cohort())[1].start

    for name in ("rms", "between", "gradient_rms", "weight_gradient_rms"):
        assert getattr(mine, name) == pytest.approx(getattr(torchs, name), rel=1e-5)
    for one, other in zip(mine.samples, torchs.samples, strict=True):
        assert np.sort(one) == pytest.approx(np.sort(other), abs=1e-5)


def test_zero_weights_never_move():
    zeros = tuple(np.zeros_like(weight) for weight in WEIGHTS)
    run = train(cohort(weights=zeros, activation="relu"))[0]

    assert run.weight_change.tolist() == [0.0, 0.0, 0.0]
    assert run.final_loss != run.first_loss


def test_a_net_that_diverges_is_a_result_and_leaves_the_others_alone():
    rates = np.array([1e20, 0.05, 0.01])
    lost, kept, _ = train(cohort(learning_rates=rates, activation="relu"))

    assert lost.diverged_at is not None
    assert np.isnan(lost.losses[lost.diverged_at :]).all()
    assert lost.test_accuracy == 1 / 3
    assert kept.diverged_at is None
    assert np.isfinite(kept.losses).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "rela"}, r"'rela'. Did you mean 'relu'\?"),
        ({"optimizer": "adma"}, r"'adma'. Did you mean 'adam'\?"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(change, message):
    with pytest.raises(UnknownNameError, match=message):
        train(cohort(**change))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_activation_is_the_one_that_theory_speaks_of(name):
    places = np.linspace(-4, 4, 33)
    values = FUNCTIONS[name](keras.ops.convert_to_tensor(places.astype(np.float32)))

    expected = find_activation(name).function(places)
    assert to_numpy(values) == pytest.approx(expected, abs=2e-6)


def test_a_dense_net_has_the_shapes_asked_for():
    shapes = [tuple(v.shape) for v in dense_net((4, 3, 2), "relu").variables]

    assert shapes == [(4, 3), (3,), (3, 2), (2,)]


def test_a_regression_goes_as_in_torch():
    wanted = np.stack([INPUTS[:, 0] * 2, INPUTS[:, 1] + 1, INPUTS[:, 2]], axis=1)
    changed = cohort(
        task="regression",
        targets=wanted[:40],
        test_targets=wanted[40:],
        valid_inputs=INPUTS[40:50],
        valid_targets=wanted[40:50],
    )

    for mine, torchs in zip(train(changed), train_in_torch(changed), strict=True):
        assert mine.losses == pytest.approx(torchs.losses, rel=2e-5)
        assert mine.test_accuracy == pytest.approx(torchs.test_accuracy, abs=1e-4)
        assert mine.valid_loss == pytest.approx(torchs.valid_loss, rel=1e-4)
        first = pytest.approx(torchs.start.gradient_rms, rel=1e-4)
        assert mine.start.gradient_rms == first
