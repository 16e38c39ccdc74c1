"""What a race draws: the laws that schemes state, with common random numbers."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.race.cohorts import cohort_of, draw_weights, variances
from fanin.race.data import Dataset
from fanin.race.experiment import Experiment
from fanin.schemes import find_scheme

SIZES = (64, 200, 100, 10)


def data():
    inputs = np.linspace(-1, 1, 80, dtype=np.float32).reshape(20, 4)
    targets = np.arange(20) % 3
    return Dataset(
        name="ramp",
        inputs=inputs,
        targets=targets,
        test_inputs=inputs,
        test_targets=targets,
        n_classes=3,
    )


def weights(spec, seed=0):
    return draw_weights(find_scheme(spec), SIZES, seed=seed)


@pytest.mark.parametrize(
    "spec",
    ["he_normal", "glorot_normal", "glorot_uniform", "lecun_uniform", "normal(std=2)"],
)
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_weights_have_the_variance_that_theory_is_told(spec, layer):
    drawn = weights(spec)[layer].astype(np.float64)
    variance = variances(find_scheme(spec), SIZES)[layer]

    # A sample variance has a relative sampling error of at most √(2/n).
    tolerance = 5 * np.sqrt(2 / drawn.size)
    assert np.square(drawn).mean() / variance == pytest.approx(1.0, abs=tolerance)


def test_he_keeps_its_own_gain_whatever_the_activation():
    assert variances(find_scheme("he_normal"), (50, 20)) == pytest.approx([2 / 50])


def test_orthogonal_weights_are_orthogonal():
    weight = weights("orthogonal")[1].astype(np.float64)

    assert weight @ weight.T == pytest.approx(np.eye(100), abs=1e-5)


def test_two_schemes_of_one_seed_share_their_random_numbers():
    he, glorot = weights("he_normal")[1], weights("glorot_normal")[1]

    assert (he / glorot).std() == pytest.approx(0.0, abs=1e-5)
    assert not np.array_equal(he, weights("he_normal", seed=1)[1])


@pytest.mark.parametrize("spec", ["zeros", "constant(0.5)", "identity"])
def test_weights_that_are_not_random_have_no_variance(spec):
    assert variances(find_scheme(spec), SIZES) is None


def test_a_constant_is_that_constant():
    assert all((weight == 0.5).all() for weight in weights("constant(0.5)"))


def test_members_of_one_seed_share_weights_and_batches():
    experiment = Experiment(
        seeds=(0, 1), learning_rates=(0.1, 0.2), depth=2, width=5, n_steps=4,
        batch_size=6,
    )  # fmt: skip
    trials = experiment.trials("he_normal", "swish")
    cohort = cohort_of(experiment, trials, data())

    assert cohort.sizes == (4, 5, 5, 3)
    assert cohort.activation == "silu"
    assert cohort.learning_rates.tolist() == [0.1, 0.1, 0.2, 0.2]
    assert cohort.batches.shape == (4, 4, 6)
    for arrays in (cohort.weights[0], cohort.batches):
        assert np.array_equal(arrays[0], arrays[2])
        assert not np.array_equal(arrays[0], arrays[1])
