"""Tests of race/studies: what theory expects, what a study reads off its runs."""

from math import inf, log, sqrt

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.errors import ArgumentError, ModelError
from fanin.race.studies import DepthStudy, WidthStudy, reach_of
from fanin.race.studies.width import slope_of


@pytest.mark.parametrize("sigma", [0.5, 0.9, 1.2, 1.8])
def test_relu_reaches_six_over_the_logarithm_of_half_the_variance(sigma):
    reach = reach_of("relu", sigma)
    assert reach.growth == pytest.approx(sigma**2 / 2, rel=1e-9)
    assert reach.n_layers == pytest.approx(6 / abs(log(sigma**2 / 2)), rel=1e-9)


def test_an_ordered_tanh_net_without_biases_reaches_as_its_slope_at_0():
    reach = reach_of("tanh", 0.8)
    assert reach.n_layers == pytest.approx(-6 / log(0.64), rel=1e-6)
    assert reach.phase == "ordered"


@pytest.mark.parametrize(("name", "edge"), [("relu", sqrt(2)), ("tanh", 1.0)])
def test_at_the_edge_of_chaos_nothing_limits_the_depth(name, edge):
    assert reach_of(name, edge).n_layers == inf
    assert reach_of(name, edge).phase == "edge of chaos"
    assert reach_of(name, 0.98 * edge).n_layers < inf
    assert reach_of(name, 1.05 * edge).phase == "chaotic"


def test_two_inputs_part_in_a_chaotic_net_as_its_map_of_correlations_says():
    """ξ_c from the theory's own map, followed by hand at the fixed point."""
    from fanin.theory import MeanField, correlation_map, settles_at

    sigma = 1.8
    field = MeanField.of("tanh", sigma_w=sigma)
    correlations = correlation_map(field, settles_at(field))
    c = correlations.fixed_point()
    slope = (correlations(c + 1e-6) - correlations(c - 1e-6)) / 2e-6
    expected = 6 / abs(log(abs(slope)))
    gradients = 6 / abs(log(reach_of("tanh", sigma).growth))
    assert reach_of("tanh", sigma).n_layers == pytest.approx(
        min(expected, gradients), rel=1e-4
    )


@pytest.mark.parametrize(
    "wrong", [{"sigmas": (1.0, 0.5)}, {"depths": ()}, {"depths": (0, 4)}, {"seeds": ()}]
)
def test_a_depth_study_that_cannot_be_is_refused(wrong):
    with pytest.raises(ArgumentError):
        DepthStudy(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"widths": (64,)},
        {"widths": (64, 32)},
        {"base": 128},
        {"n_steps": 0},
        {"rates": (0.0,)},
    ],
)
def test_a_width_study_that_cannot_be_is_refused(wrong):
    with pytest.raises(ArgumentError):
        WidthStudy(**wrong)


@pytest.mark.parametrize("power", [-0.5, 0.0, 1.0])
def test_the_slope_of_a_power_is_its_exponent(power):
    widths = (16, 64, 100)
    sizes = np.array([[3 * w**power for w in widths], [7 * w**power for w in widths]])
    found = slope_of(widths, sizes)
    assert found.mean == pytest.approx(power, abs=1e-12)
    assert found.error == pytest.approx(0, abs=1e-12)


@pytest.fixture(scope="module")
def depths():
    return fanin.depth_study(
        activation="tanh",
        sigmas=(0.5, 1.1),
        depths=(2, 14),
        seeds=(0,),
        width=48,
        learning_rates=(0.1, 0.03),
        n_steps=60,
        n_jobs=1,
        progress=False,
    ).found


def test_a_shallow_net_trains_at_both_sizes_and_a_deep_one_at_the_edge(depths):
    assert depths.trained.tolist() == [[True, True], [False, True]]
    assert depths.expected.tolist() == [[True, True], [False, True]]
    assert depths.n_as_expected == 4
    assert depths.deepest == (2, 14)


def mlp(width):
    return nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, 3))


@pytest.fixture(scope="module")
def widths():
    x = fanin.draw("x", (128, 8), "normal(std=1)", seed=0)
    y = np.argmax(x[:, :3], axis=1)
    return fanin.width_study(
        mlp,
        x,
        "cross_entropy",
        y,
        widths=(32, 128, 512),
        seeds=(0, 1),
        rates=(0.01, 0.03),
        n_train_steps=10,
        batch_size=32,
        progress=False,
    ).found


def test_with_mup_every_layer_learns_at_one_pace(widths):
    for layer in widths.layers:
        assert abs(widths.change_slope("mup", layer).mean) < 0.2
    assert widths.change_slope("as built", "output").mean > 0.6


def test_with_mup_the_output_starts_smaller_in_a_wider_net(widths):
    assert widths.slope("mup", "output", 0).mean == pytest.approx(-0.5, abs=0.15)


def test_a_walk_s_first_point_is_the_model_s_own_output(widths):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = mlp(128)
    x = torch.from_numpy(fanin.draw("x", (128, 8), "normal(std=1)", seed=0))
    found = widths.sizes("as built", "output", 0)[1, 1]
    assert found == pytest.approx(float(model(x).detach().abs().mean()), rel=1e-6)


def test_adam_s_first_step_changes_a_layer_as_autograd_and_torch_say(widths):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = mlp(32)
    x = torch.from_numpy(fanin.draw("x", (128, 8), "normal(std=1)", seed=0))
    y = x[:, :3].argmax(1)
    before = model(x).detach()
    optimizer = torch.optim.Adam(model.parameters(), lr=widths.study.learning_rate)
    for _ in range(4):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    change = float((model(x).detach() - before).square().mean().sqrt())
    walk = widths.walks["as built", 32, 0]
    assert walk.change[-1, -1] == pytest.approx(change, rel=1e-5)


def test_losses_are_there_for_every_rate_and_width(widths):
    for policy in widths.study.policies:
        for width in widths.study.widths:
            assert np.isfinite(widths.losses[policy, width]).all()
        own, carried = widths.cost_of_transfer(policy)
        assert own <= carried


def test_a_maker_that_gives_no_model_is_named():
    x = np.zeros((4, 8), np.float32)
    with pytest.raises(ModelError, match="the maker gave int"):
        fanin.width_study(
            lambda width: width, x, "mse", x, widths=(2, 4), progress=False
        )


def in_place(width):
    return nn.Sequential(
        nn.Linear(8, width), nn.ReLU(inplace=True), nn.Linear(width, 3)
    )


def test_a_layer_is_seen_before_what_overwrites_it():
    x = fanin.draw("x", (64, 8), "normal(std=1)", seed=0)
    settings = {"widths": (4, 8), "rates": (), "seeds": (0,), "progress": False}
    target = np.argmax(x[:, :3], axis=1).tolist()
    plain = fanin.width_study(mlp, x, "cross_entropy", target, **settings).found
    other = fanin.width_study(in_place, x, "cross_entropy", target, **settings).found
    for layer in plain.layers:
        for step in range(5):
            np.testing.assert_array_equal(
                plain.sizes("as built", layer, step),
                other.sizes("as built", layer, step),
            )


def test_a_target_without_samples_is_refused():
    x = np.zeros((4, 8), np.float32)
    with pytest.raises(ArgumentError, match="sample along its first axis"):
        fanin.width_study(mlp, x, "mse", {"y": x}, progress=False)


def test_a_model_without_data_is_refused():
    with pytest.raises(ArgumentError, match="batch, loss and target"):
        fanin.width_study(mlp, progress=False)
