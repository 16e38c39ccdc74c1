"""Real data, split and ordered the same on every machine."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from fanin.errors import ArgumentError, MissingDependencyError, UnknownNameError
from fanin.race.data import DATASETS, batches, load

SIZES = {
    "digits": 1797,
    "moons": 1000,
    "circles": 1000,
    "breast_cancer": 569,
    "wine": 178,
    "iris": 150,
    "diabetes": 442,
}


@pytest.fixture(params=DATASETS)
def data(request):
    return load(request.param)


def test_training_inputs_have_mean_0_and_second_moment_1(data):
    inputs = data.inputs.astype(np.float64)

    assert inputs.mean() == pytest.approx(0.0, abs=1e-6)
    assert np.square(inputs).mean() == pytest.approx(1.0, abs=1e-6)


def test_a_quarter_is_held_out_and_nothing_is_lost(data):
    n_train, n_test = len(data.targets), len(data.test_targets)

    assert n_test == round(0.25 * (n_train + n_test))
    assert n_train + n_test == SIZES[data.name]


def test_no_sample_is_in_both_sets(data):
    kept = {row.tobytes() for row in data.inputs}

    repeated = sum(row.tobytes() in kept for row in data.test_inputs)
    # Iris holds one flower twice; no other data hold two equal samples.
    assert repeated <= (data.name == "iris")


def test_every_class_is_there(data):
    if data.task == "regression":
        assert (data.n_classes, data.targets.shape[1]) == (0, 1)
        return
    classes = set(range(data.n_classes))

    assert set(data.targets.tolist()) == set(data.test_targets.tolist()) == classes


def test_the_split_depends_on_its_seed_alone():
    one, again, other = load("moons"), load("moons"), load("moons", split_seed=1)

    assert np.array_equal(one.inputs, again.inputs)
    assert not np.array_equal(one.inputs, other.inputs)


def test_an_epoch_shows_every_sample_once():
    rows = batches(50, 10, 10, seed=3)

    first, second = rows[:5].ravel(), rows[5:].ravel()
    assert sorted(first) == sorted(second) == list(range(50))
    assert not np.array_equal(first, second)


def test_batches_run_over_the_end_of_an_epoch():
    rows = batches(7, 5, 3, seed=0)

    assert rows.shape == (5, 3)
    assert sorted(rows.ravel()[:7]) == list(range(7))


def test_seeds_have_orders_of_their_own():
    assert not np.array_equal(batches(50, 5, 10, seed=0), batches(50, 5, 10, seed=1))


def test_a_batch_larger_than_the_training_set_is_refused():
    with pytest.raises(ArgumentError, match="at most 7, the size of the training set"):
        batches(7, 1, 8, seed=0)


def test_an_unknown_dataset_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"'digit'. Did you mean 'digits'\?"):
        load("digit")


@pytest.mark.parametrize("name", DATASETS)
def test_without_scikit_learn_the_line_that_installs_it_is_given(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)

    with pytest.raises(MissingDependencyError, match=r"pip install 'fanin\[data\]'"):
        load(name)


def test_the_part_that_chooses_a_rate_is_taken_from_the_training_samples():
    whole, parted = load("wine"), load("wine", valid_share=0.2)

    assert parted.n_valid == round(0.2 * len(whole.targets))
    assert parted.n_valid + len(parted.targets) == len(whole.targets)
    assert np.array_equal(whole.test_targets, parted.test_targets)
    assert whole.valid_inputs is None


def test_the_columns_of_a_table_are_scaled_each_by_itself_pixels_together():
    columns = load("wine").inputs.astype(np.float64)
    pixels = load("digits").inputs.astype(np.float64)

    assert columns.std(axis=0) == pytest.approx(np.ones(13), abs=1e-6)
    assert np.ptp(pixels.std(axis=0)) > 0.5


def test_the_targets_of_a_regression_are_scaled():
    targets = load("diabetes").targets.astype(np.float64)

    assert targets.mean() == pytest.approx(0.0, abs=1e-6)
    assert targets.std() == pytest.approx(1.0, abs=1e-6)


def test_a_guess_names_the_commonest_class():
    assert load("breast_cancer").chance == 357 / 569
    assert load("diabetes").chance == 0.0


def test_any_number_changes_the_fingerprint():
    one, other = load("iris"), load("iris", split_seed=1)

    assert one.fingerprint == load("iris").fingerprint
    assert one.fingerprint != other.fingerprint


def test_a_column_that_is_constant_but_for_a_test_row_does_not_explode(tmp_path):
    path = tmp_path / "k.csv"
    rows = [f"{0.2 if i == 7 else 0.1},{2 * i},{i % 2}" for i in range(100)]
    path.write_text("a,b,y\n" + "\n".join(rows))

    for seed in range(12):
        found = load(str(path), split_seed=seed)
        assert max(abs(found.inputs).max(), abs(found.test_inputs).max()) < 20
