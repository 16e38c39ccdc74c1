"""A comparison of any net: schemes and policies, users' models, trials that raise."""

from __future__ import annotations

import numpy as np
import pytest

import fanin
from fanin.api.raced_nets import train_each
from fanin.errors import ArgumentError, ModelError
from fanin.race import Experiment
from fanin.race.cohorts import draw_weights
from fanin.race.run import load_for
from fanin.schemes import find_scheme

QUICK = {
    "activations": ["relu"], "seeds": (0, 1), "depth": 2, "width": 8, "n_steps": 12,
    "batch_size": 16, "learning_rates": (0.1,), "data": "iris", "n_jobs": 1,
    "progress": False,
}  # fmt: skip
NETS = '''
import torch

def make(width, activation="relu", *, n_in, n_out):
    if width == 13:
        raise ValueError("no net of 13")
    return torch.nn.Sequential(
        torch.nn.Linear(n_in, width), torch.nn.ReLU(), torch.nn.Linear(width, n_out)
    )

def wrong():
    return "a net"

class Odd(torch.nn.Linear):
    """Works on shapes alone, and raises when it meets numbers."""

    def forward(self, inputs):
        if not inputs.is_meta:
            raise RuntimeError("cannot see")
        return super().forward(inputs)

def odd(n_in, n_out):
    return Odd(n_in, n_out)

def noisy(n_in, n_out):
    return torch.nn.Sequential(
        torch.nn.Linear(n_in, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, n_out)
    )
'''


@pytest.fixture
def nets(tmp_path, monkeypatch):
    (tmp_path / "raced_users_nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "raced_users_nets"


@pytest.mark.parametrize("spec", ["he_normal", "glorot_uniform", "constant(0.1)"])
def test_a_scheme_draws_the_same_bits_beside_policies_and_in_a_cohort(
    spec, monkeypatch
):
    experiment = Experiment(
        schemes=(spec,), activations=("tanh",), seeds=(4,), learning_rates=(0.1,),
        depth=2, width=8, n_steps=1, batch_size=16, data="iris",
    )  # fmt: skip
    seen = []

    def look(model, lesson):
        seen.append([layer.weight.detach().numpy().copy() for layer in model.layers])

    monkeypatch.setattr("fanin.frameworks.torch.single.train_one", look)
    data = load_for(experiment)
    train_each(experiment, experiment.trials(spec, "tanh"), data)

    drawn = draw_weights(find_scheme(spec), (4, 8, 8, 3), seed=4)
    assert all(np.array_equal(*pair) for pair in zip(seen[0], drawn, strict=True))


def test_schemes_and_policies_are_compared_in_every_setting():
    found = fanin.compare(
        ["he_normal", "auto"], **QUICK | {"normalization": ["none", "batch"]}
    )

    rows = found.standings.rows
    assert len(rows) == 4
    assert not found.standings.failures
    assert {row.setting.normalization for row in rows} == {"none", "batch"}


def test_a_scheme_that_ends_in_nan_is_a_result_in_a_net_of_any_kind():
    found = fanin.compare(
        ["normal(std=1e20)"], **QUICK | {"net": "residual", "depth": 3}
    )

    (row,) = found.standings.rows
    assert row.n_diverged == 2
    assert not found.standings.failures


def test_mup_takes_the_narrowest_width_as_its_base(monkeypatch):
    seen = {}

    def look(model, lesson):
        seen[model.layers[0].out_features] = dict(lesson.factors)

    monkeypatch.setattr("fanin.frameworks.torch.single.train_one", look)
    experiment = Experiment(
        schemes=("mup",), activations=("relu",), seeds=(0,), learning_rates=(0.1,),
        depth=2, width=(8, 32), optimizer="adam", n_steps=1, data="iris",
        batch_size=16,
    )  # fmt: skip
    data = load_for(experiment)
    for arm in experiment.arms:
        train_each(experiment, experiment.trials_of(*arm), data)

    assert set(seen[8].values()) <= {1.0}
    assert seen[32]["layers.1.weight"] == pytest.approx(8 / 32)


def test_a_users_function_gets_the_factors_that_it_takes(nets):
    found = fanin.compare(
        ["he_normal", "auto"], **QUICK | {"net": f"{nets}:make", "width": (4, 6)}
    )

    assert len(found.standings.rows) == 4
    assert len(found.standings.rows[0].weight_change) == 2


def test_a_trial_that_raises_is_kept_with_its_error_and_ends_nothing(nets):
    found = fanin.compare(
        ["he_normal"], **QUICK | {"net": f"{nets}:make", "width": (4, 13)}
    )

    assert [row.setting.width for row in found.standings.rows] == [4]
    assert len(found.standings.failures) == 2
    assert found.standings.failures[0].error.startswith("ValueError: no net of 13 (")
    assert "raised an error and have no result" in str(found)


def test_where_every_trial_raises_there_is_nothing_to_show_but_the_error(nets):
    with pytest.raises(ModelError, match="RuntimeError: cannot see"):
        fanin.compare(["he_normal"], **QUICK | {"net": f"{nets}:odd"})


def test_a_factor_that_a_users_function_does_not_take_may_not_vary(nets):
    with pytest.raises(ArgumentError, match="has no argument 'depth'"):
        fanin.compare(["he_normal"], **QUICK | {"net": f"{nets}:make", "depth": (2, 3)})


def test_what_is_no_model_is_refused(nets):
    with pytest.raises(ArgumentError, match=r"a torch.nn.Module from"):
        fanin.compare(["he_normal"], **QUICK | {"net": f"{nets}:wrong"})


def test_keras_trains_plain_dense_nets_only():
    with pytest.raises(ArgumentError, match="'torch' for a policy"):
        fanin.compare(["auto"], **QUICK | {"framework": "keras"})


def test_a_regression_is_scored_by_r2():
    found = fanin.compare(
        ["he_normal", "zeros"],
        **QUICK | {"data": "diabetes", "n_steps": 150, "learning_rates": (0.03,)},
    )
    he, zeros = found.standings.rows

    assert found.standings.metric == "R²"
    assert zeros.test_accuracy.mean == pytest.approx(0.0, abs=0.05)
    assert 0.25 < he.test_accuracy.mean < 0.7
    assert "test R²" in found.table(width=160)


def test_a_policy_is_compared_on_images_with_a_convolutional_net():
    found = fanin.compare(
        ["auto", "he_normal"], **QUICK | {"net": "conv", "data": "digits", "n_steps": 3}
    )

    assert len(found.standings.rows) == 2
    assert "2 convolutions of 8 channels" in found.to_markdown()


def test_a_net_with_dropout_goes_the_same_way_from_the_same_seed(nets):
    import torch

    experiment = Experiment(
        schemes=("he_normal",), activations=("relu",), seeds=(3,), depth=1, width=8,
        learning_rates=(0.1,), n_steps=6, batch_size=16, data="iris",
        net=f"{nets}:noisy",
    )  # fmt: skip
    data, trials = load_for(experiment), experiment.trials("he_normal", "relu")
    state = torch.get_rng_state()
    (first,) = train_each(experiment, trials, data)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(5)
    (second,) = train_each(experiment, trials, data)

    assert np.array_equal(first.losses, second.losses)
