"""Many nets at once train as each would alone."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import torch

from fanin.activations import find_activation
from fanin.errors import UnknownNameError
from fanin.frameworks.torch.dense import FUNCTIONS, dense_net
from fanin.frameworks.torch.ensemble import train
from fanin.graph.cohort import Cohort

SIZES = (5, 8, 8, 3)
N_STEPS = 12
GENERATOR = torch.Generator().manual_seed(0)
INPUTS = torch.randn(60, 5, generator=GENERATOR)
TARGETS = (INPUTS[:, 0] > 0).long() + (INPUTS[:, 1] > 0.5).long()
BATCHES = torch.randint(0, 40, (3, N_STEPS, 6), generator=GENERATOR)
WEIGHTS = tuple(
    torch.randn(3, n_out, n_in, generator=GENERATOR) * 0.6
    for n_in, n_out in pairwise(SIZES)
)
OPTIMIZERS = {
    "sgd": lambda p, lr: torch.optim.SGD(p, lr=lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "adam": lambda p, lr: torch.optim.Adam(p, lr=lr),
    "adamw": lambda p, lr: torch.optim.AdamW(p, lr=lr, weight_decay=0.01),
}


def cohort(**changes):
    usual = Cohort(
        sizes=SIZES,
        activation="tanh",
        optimizer="sgd",
        weights=tuple(weight.numpy() for weight in WEIGHTS),
        learning_rates=np.array([0.3, 0.05, 0.01]),
        batches=BATCHES.numpy(),
        inputs=INPUTS[:40].numpy(),
        targets=TARGETS[:40].numpy(),
        test_inputs=INPUTS[40:].numpy(),
        test_targets=TARGETS[40:].numpy(),
        probe=np.arange(30),
    )
    return dataclasses.replace(usual, **changes)


def scaled(factor):
    return tuple((weight * factor).numpy() for weight in WEIGHTS)


def net_of(member, activation="tanh"):
    net = dense_net(SIZES, activation)
    with torch.no_grad():
        for layer, weight in zip(net[::2], WEIGHTS, strict=True):
            layer.weight.copy_(weight[member])
            layer.bias.zero_()
    return net


def alone(member, optimizer, rate):
    """Train one member by itself, as a textbook would."""
    net = net_of(member)
    rule = OPTIMIZERS[optimizer](net.parameters(), rate)
    losses = []
    for rows in BATCHES[member]:
        rule.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(INPUTS[rows]), TARGETS[rows])
        losses.append(loss.item())
        loss.backward()
        rule.step()
    return net, losses


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("member", [0, 1, 2])
def test_a_member_trains_as_it_would_alone(optimizer, member):
    rates = np.array([0.3, 0.05, 0.01])
    run = train(cohort(optimizer=optimizer))[member]

    net, losses = alone(member, optimizer, float(rates[member]))
    change = [
        (layer.weight - start[member]).abs().max().item()
        for layer, start in zip(net[::2], WEIGHTS, strict=True)
    ]
    right = (net(INPUTS[40:]).argmax(1) == TARGETS[40:]).double().mean()
    assert run.losses == pytest.approx(losses, rel=2e-5)
    assert run.weight_change == pytest.approx(change, rel=2e-4)
    assert run.test_accuracy == pytest.approx(float(right))


def test_a_member_does_not_feel_the_others():
    together = train(cohort())[1]
    only = {
        "weights": tuple(weight[1:2].numpy() for weight in WEIGHTS),
        "learning_rates": np.array([0.05]),
        "batches": BATCHES[1:2].numpy(),
    }

    assert train(cohort(**only))[0].losses == pytest.approx(together.losses, rel=1e-5)


def test_the_start_is_what_one_net_shows_by_itself():
    net = net_of(2).double()
    values, layers, sums = INPUTS[:30].double(), [INPUTS[:30].double()], []
    for layer in net:
        values = layer(values)
        if isinstance(layer, torch.nn.Linear):
            values.retain_grad()
            sums.append(values)
        else:
            layers.append(values)
    layers.append(values)
    torch.nn.functional.cross_entropy(values, TARGETS[:30]).backward()

    start = train(cohort())[2].start
    rms = [v.square().mean().sqrt().item() for v in layers]
    between = [v.var(0, correction=0).mean().sqrt().item() for v in layers]
    gradient = [30 * z.grad.square().mean().sqrt().item() for z in sums]
    weights = [layer.weight.grad.square().mean().sqrt().item() for layer in net[::2]]
    assert start.rms == pytest.approx(rms, rel=1e-5)
    assert start.between == pytest.approx(between, rel=1e-5)
    assert start.gradient_rms == pytest.approx(gradient, rel=1e-5)
    assert start.weight_gradient_rms == pytest.approx(weights, rel=1e-5)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_zero_weights_never_move_but_the_output_bias_does(activation):
    run = train(cohort(activation=activation, weights=scaled(0.0)))[0]

    assert run.weight_change.tolist() == [0.0, 0.0, 0.0]
    assert run.final_loss != run.first_loss
    assert run.first_loss == pytest.approx(np.log(3))


def test_zero_weights_move_under_sigmoid_and_stay_twins():
    run = train(cohort(activation="sigmoid", weights=scaled(0.0)))[0]

    assert run.weight_change[-1] > 0
    assert run.unit_spread.tolist() == [0.0, 0.0]


def test_units_with_constant_weights_stay_twins():
    constant = tuple(np.full_like(weight.numpy(), 0.5) for weight in WEIGHTS)
    run = train(cohort(weights=constant))[0]

    assert run.weight_change.min() > 0
    assert run.unit_spread.max() <= 1e-6


def test_the_spread_is_the_largest_difference_between_two_units():
    still = cohort(learning_rates=np.zeros(3))
    units = torch.cat([WEIGHTS[0][1], WEIGHTS[1][1].T], dim=1)

    largest = (units.max(0).values - units.min(0).values).max().item()
    assert train(still)[1].unit_spread[0] == pytest.approx(largest)


def test_a_net_that_diverges_is_a_result_and_leaves_the_others_alone():
    rates = np.array([1e20, 0.05, 0.01])
    lost, kept, _ = train(cohort(learning_rates=rates, activation="relu"))

    assert lost.diverged_at is not None
    assert np.isnan(lost.losses[lost.diverged_at :]).all()
    assert np.isfinite(lost.losses[: lost.diverged_at]).all()
    assert (lost.train_accuracy, lost.test_accuracy) == (1 / 3, 1 / 3)
    assert kept.diverged_at is None
    assert np.isfinite(kept.losses).all()


def test_the_callers_handling_of_subnormals_and_threads_comes_back():
    threads = torch.get_num_threads()
    train(cohort())

    assert float(torch.full((1,), 2.0**-126) / 2) > 0
    assert torch.get_num_threads() == threads


def test_the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    train(cohort())

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "rela"}, "'rela'. Did you mean 'relu'?"),
        ({"optimizer": "adma"}, "'adma'. Did you mean 'adam'?"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(change, message):
    with pytest.raises(UnknownNameError, match=message.replace("?", r"\?")):
        train(cohort(**change))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_activation_keeps_the_shape(name):
    values = torch.linspace(-2, 2, 9)

    assert FUNCTIONS[name](values).shape == values.shape


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_activation_is_the_one_that_theory_speaks_of(name):
    places = np.linspace(-4, 4, 33)
    values = FUNCTIONS[name](torch.from_numpy(places)).numpy()

    assert values == pytest.approx(find_activation(name).function(places), abs=1e-12)


def test_a_regression_is_trained_on_squares_and_scored_by_r2():
    wanted = torch.stack([INPUTS[:, 0] * 2, INPUTS[:, 1] + 1, INPUTS[:, 2]], dim=1)
    run = train(
        cohort(
            task="regression",
            targets=wanted[:40].numpy(),
            test_targets=wanted[40:].numpy(),
            valid_inputs=INPUTS[40:50].numpy(),
            valid_targets=wanted[40:50].numpy(),
        )
    )[1]

    net = net_of(1)
    rule = torch.optim.SGD(net.parameters(), lr=0.05)
    losses = []
    for rows in BATCHES[1]:
        rule.zero_grad()
        loss = torch.nn.functional.mse_loss(net(INPUTS[rows]), wanted[rows])
        losses.append(loss.item())
        loss.backward()
        rule.step()
    with torch.no_grad():
        outputs = net(INPUTS[40:])
    left = (outputs - wanted[40:]).square().sum()
    whole = (wanted[40:] - wanted[40:].mean(0)).square().sum()
    valid = torch.nn.functional.mse_loss(outputs[:10], wanted[40:50])
    assert run.losses == pytest.approx(losses, rel=2e-5)
    assert run.test_accuracy == pytest.approx(float(1 - left / whole), abs=1e-5)
    assert run.valid_loss == pytest.approx(float(valid), rel=1e-5)


def test_a_net_that_diverges_scores_as_a_guess_does():
    run = train(cohort(weights=scaled(1e30), activation="relu", guess=0.7))[0]

    assert run.diverged_at is not None
    assert run.test_accuracy == run.train_accuracy == 0.7
