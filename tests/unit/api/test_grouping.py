"""A plan's learning rates reach the optimizers of every framework."""

from __future__ import annotations

import equinox
import jax
import keras
import numpy as np
import pytest
import torch
from flax import nnx
from jax import numpy as jnp
from torch import nn

import fanin
from fanin.errors import ArgumentError, UnknownNameError

X = np.ones((6, 4), dtype=np.float32)
RATES = [0.1, 0.1, 0.1, 0.025]
"""Of the weight and bias that write width, the head's bias, and the head."""


def torch_net(width):
    return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 2))


def plan_for(model, base, **wishes):
    return fanin.plan(model, X, policy="mup", base=base, seed=0, **wishes)


def test_torchs_groups_hold_every_parameter_once_with_its_rate():
    model = torch_net(16)
    plan = plan_for(model, torch_net(4))

    groups = fanin.groups(plan, model, lr=0.1, optimizer="adamw", weight_decay=0.2)

    held = {id(p): group for group in groups for p in group["params"]}
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    head = held[id(model[2].weight)]
    assert (head["lr"], head["weight_decay"], head["lr_scale"]) == (0.025, 0.8, 0.25)
    assert torch.optim.AdamW(groups).param_groups[-1]["lr_scale"] in {0.25, 1.0}


def test_a_step_of_sgd_is_the_gradient_times_the_rate_of_each_parameter():
    model = torch_net(16)
    plan = plan_for(model, torch_net(4))
    before = [p.detach().clone() for p in model.parameters()]

    model(torch.tensor(X)).square().mean().backward()
    torch.optim.SGD(plan.groups(model, lr=0.1, optimizer="sgd")).step()

    rates = [0.4, 0.4, 0.025, 0.1]  # n_out/n_in over the base's
    for was, p, rate in zip(before, model.parameters(), rates, strict=True):
        assert torch.allclose(was - p, rate * p.grad, atol=1e-7)


def test_frozen_parameters_are_in_no_group():
    model, base = torch_net(16), torch_net(4)
    model[0].weight.requires_grad_(requires_grad=False)

    groups = plan_for(model, base).groups(model, lr=0.1)

    assert sum(len(group["params"]) for group in groups) == 3


def test_keras_groups_are_an_optimizer_each():
    def net(width):
        return keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(width, activation="tanh", name="hidden"),
                keras.layers.Dense(2, name="head"),
            ]
        )

    model = net(16)
    groups = plan_for(model, net(4)).groups(model, lr=0.1)

    by_rate = {group["learning_rate"]: group["variables"] for group in groups}
    assert [len(by_rate[rate]) for rate in (0.1, 0.025)] == [3, 1]
    assert by_rate[0.025][0] is model.layers[-1].kernel


class Flax(nnx.Module):
    def __init__(self, width):
        self.hidden = nnx.Linear(4, width, rngs=nnx.Rngs(0))
        self.head = nnx.Linear(width, 2, rngs=nnx.Rngs(1))

    def __call__(self, x):
        return self.head(jnp.tanh(self.hidden(x)))


def equinox_net(width):
    return equinox.nn.MLP(4, 2, width, 1, activation=jnp.tanh, key=jax.random.key(0))


def pair(width):
    key = jax.random.key(0)
    params = {
        "hidden": {"w": jax.random.normal(key, (4, width)), "b": jnp.zeros(width)},
        "head": {"w": jax.random.normal(key, (width, 2)), "b": jnp.zeros(2)},
    }

    def run(params, x):
        z = jnp.tanh(x @ params["hidden"]["w"] + params["hidden"]["b"])
        return z @ params["head"]["w"] + params["head"]["b"]

    return run, params


def loss_of(output):
    return jnp.mean(output**2)


@pytest.mark.parametrize("build", [Flax, equinox_net, pair])
def test_jaxs_trees_of_rates_are_mapped_with_its_gradients(build):
    model = build(16)
    found = plan_for(model, build(4)).groups(model, lr=0.1)["learning_rate"]

    gradients = {
        Flax: lambda: nnx.grad(lambda m: loss_of(m(X)))(model),
        equinox_net: lambda: equinox.filter_grad(lambda m: loss_of(jax.vmap(m)(X)))(
            model
        ),
        pair: lambda: jax.grad(lambda p: loss_of(model[0](p, X)))(model[1]),
    }[build]()
    steps = jax.tree.map(lambda g, rate: rate * g, gradients, found)

    assert jax.tree.structure(steps) == jax.tree.structure(gradients)
    ratios = [
        float(jnp.abs(step).sum() / jnp.abs(gradient).sum())
        for step, gradient in zip(
            jax.tree.leaves(steps), jax.tree.leaves(gradients), strict=True
        )
    ]
    assert sorted(ratios, reverse=True) == pytest.approx(RATES)


def test_what_no_optimizer_takes_is_refused():
    model = torch_net(16)
    plan = plan_for(model, torch_net(4))

    with pytest.raises(ArgumentError, match="'lr' must be a finite number above 0"):
        plan.groups(model, lr=0.0)
    with pytest.raises(ArgumentError, match="weight_decay"):
        plan.groups(model, lr=0.1, weight_decay=-1.0)
    with pytest.raises(UnknownNameError, match="'muon'"):
        plan.groups(model, lr=0.1, optimizer="muon")


def test_a_model_with_other_parameters_is_refused():
    plan = plan_for(torch_net(16), torch_net(4))
    other = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh())
    deeper = nn.Sequential(*other, nn.Linear(16, 2))

    with pytest.raises(ArgumentError, match=r"no parameter '4\.weight'"):
        plan.groups(deeper, lr=0.1)
