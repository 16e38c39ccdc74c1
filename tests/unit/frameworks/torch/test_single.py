"""One net trained alone goes as in a cohort; nets of a race are what they say."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from fanin.errors import ArgumentError, ModelError, UnknownNameError
from fanin.frameworks.torch.ensemble import train
from fanin.frameworks.torch.raced import build
from fanin.frameworks.torch.single import train_one
from fanin.graph.cohort import Cohort
from fanin.graph.raced import Lesson, NetWish

GENERATOR = torch.Generator().manual_seed(3)
INPUTS = torch.randn(60, 16, generator=GENERATOR).numpy()
TARGETS = (INPUTS[:, 0] > 0).astype(np.int64) + (INPUTS[:, 1] > 0.5)
BATCHES = torch.randint(0, 40, (15, 8), generator=GENERATOR).numpy()
WISH = NetWish(
    net="dense", n_in=16, n_out=3, depth=2, width=8, activation="tanh",
    image=(1, 4, 4),
)  # fmt: skip


def lesson(**changes):
    usual = Lesson(
        optimizer="sgd",
        learning_rate=0.1,
        batches=BATCHES,
        inputs=INPUTS[:40],
        targets=TARGETS[:40],
        test_inputs=INPUTS[40:],
        test_targets=TARGETS[40:],
        probe=np.arange(30),
        task="classification",
        lost_score=0.4,
        factors={},
        valid_inputs=INPUTS[45:],
        valid_targets=TARGETS[45:],
    )
    return dataclasses.replace(usual, **changes)


def net(**changes):
    torch.manual_seed(0)
    return build(dataclasses.replace(WISH, **changes))


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw"])
def test_a_dense_net_alone_goes_as_it_does_in_a_cohort(optimizer):
    model = net()
    with torch.no_grad():
        for layer in model.layers:
            layer.bias.zero_()
    cohort = Cohort(
        sizes=(16, 8, 8, 3),
        activation="tanh",
        optimizer=optimizer,
        weights=tuple(w.weight.detach().numpy()[None].copy() for w in model.layers),
        learning_rates=np.array([0.01]),
        batches=BATCHES[None],
        inputs=INPUTS[:40],
        targets=TARGETS[:40],
        test_inputs=INPUTS[40:],
        test_targets=TARGETS[40:],
        probe=np.arange(30),
        valid_inputs=INPUTS[45:],
        valid_targets=TARGETS[45:],
    )
    (there,) = train(cohort)
    here = train_one(model, lesson(optimizer=optimizer, learning_rate=0.01))

    assert here.losses == pytest.approx(there.losses, rel=2e-5)
    assert here.weight_change == pytest.approx(there.weight_change, rel=1e-3)
    for name in ("first_loss", "final_loss", "test_accuracy", "valid_accuracy"):
        assert getattr(here, name) == pytest.approx(getattr(there, name), rel=2e-5)
    for name in ("rms", "between", "gradient_rms", "weight_gradient_rms"):
        found = getattr(here.start, name)
        assert found == pytest.approx(getattr(there.start, name), rel=1e-5)
    assert len(here.start.samples) == len(there.start.samples) == 2


@pytest.mark.parametrize("kind", ["dense", "residual", "conv"])
@pytest.mark.parametrize("normalization", ["none", "batch", "layer", "rms"])
def test_every_net_trains_with_every_normalization(kind, normalization):
    run = train_one(net(net=kind, normalization=normalization), lesson())

    assert run.diverged_at is None
    assert run.losses[-3:].mean() < run.losses[:3].mean()
    assert len(run.start.rms) == len(run.start.gradient_rms) + 1
    assert np.isfinite(run.start.gradient_rms).all()


@pytest.mark.parametrize("kind", ["dense", "conv"])
@pytest.mark.parametrize("normalization", ["layer", "rms"])
def test_a_normalization_sets_the_size_it_promises(kind, normalization):
    model = net(net=kind, normalization=normalization)
    seen = []
    model.norms[0].register_forward_hook(lambda _, __, output: seen.append(output))
    model(torch.from_numpy(INPUTS) * 50)

    square = seen[0].square().mean(dim=tuple(range(1, seen[0].ndim)))
    assert square.detach().numpy() == pytest.approx(np.ones(60), rel=1e-2)


def test_a_residual_net_of_dead_branches_is_its_stem_and_head():
    model = net(net="residual", depth=5)
    with torch.no_grad():
        for block in model.blocks:
            block.down.weight.zero_()
            block.down.bias.zero_()
    inputs = torch.from_numpy(INPUTS)

    assert torch.equal(model(inputs), model.head(model.stem(inputs)))


def test_a_parameter_trains_at_its_own_rate():
    model = net()
    factors = {"layers.1.weight": 0.0, "layers.1.bias": 0.0}
    run = train_one(model, lesson(factors=factors))

    assert run.weight_change[1] == 0.0
    assert run.weight_change[0] > 0.0


def test_a_net_that_diverges_stops_and_scores_as_a_guess():
    model = net(activation="relu")
    run = train_one(model, lesson(learning_rate=1e20))

    assert run.diverged_at is not None
    assert np.isnan(run.losses[run.diverged_at :]).all()
    assert run.test_accuracy == run.valid_accuracy == 0.4
    assert np.isnan(run.final_loss)


def test_measuring_the_start_moves_no_running_statistic():
    model = net(normalization="batch")
    train_one(model, lesson(batches=BATCHES[:0]))

    assert model.norms[0].num_batches_tracked == 0


def test_twins_are_seen_in_a_net_of_any_kind():
    model = net(activation="relu")
    with torch.no_grad():
        for layer in model.layers:
            layer.weight.fill_(0.1)
            layer.bias.zero_()
    run = train_one(model, lesson())

    assert run.weight_change[0] > 0
    assert run.unit_spread.tolist() == [0.0, 0.0]


def test_outputs_that_do_not_fit_are_refused_with_their_shape():
    class Wrong(torch.nn.Linear):
        def forward(self, inputs):
            return super().forward(inputs).sum(1)

    with pytest.raises(ModelError, match=r"It put out \(30,\) for targets \(30,\)"):
        train_one(Wrong(16, 3), lesson())


def test_a_users_net_that_works_in_place_is_measured_as_it_ran():
    model = torch.nn.Sequential(
        torch.nn.Linear(16, 8), torch.nn.ReLU(inplace=True), torch.nn.Linear(8, 3)
    )
    sums = model[0](torch.from_numpy(INPUTS[:30])).detach().double()
    run = train_one(model, lesson())

    assert run.start.rms[1] == pytest.approx(float(sums.square().mean().sqrt()))


def test_a_convolution_needs_images():
    with pytest.raises(ArgumentError, match="inputs are images"):
        net(net="conv", image=None)


def test_an_unknown_net_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'dense'"):
        net(net="dens")
