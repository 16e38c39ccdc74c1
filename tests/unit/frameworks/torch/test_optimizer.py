from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.frameworks import torch as framework
from fanin.graph.optimizer import named


def net():
    generator = torch.Generator().manual_seed(0)
    made = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
    for parameter in made.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    return made


def arrays(model):
    values = {name: p.detach().numpy() for name, p in model.named_parameters()}
    return values, {n: p.grad.numpy() for n, p in model.named_parameters()}


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.0),
    "amsgrad": lambda p: torch.optim.Adam(p, lr=0.1, amsgrad=True),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.1),
    "radam": lambda p: torch.optim.RAdam(p, lr=0.1),
    "adamax": lambda p: torch.optim.Adamax(p, lr=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.1, centered=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1),
    "adadelta": lambda p: torch.optim.Adadelta(p, lr=0.1),
    "adafactor": lambda p: torch.optim.Adafactor(p, lr=0.1, weight_decay=0.0),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_first_step_is_the_one_that_the_optimizer_takes(name):
    model = net()
    values, gradients = arrays(model)
    before = {path: value.copy() for path, value in values.items()}
    facts = framework.optimizer_facts(model, OPTIMIZERS[name](model.parameters()))
    foretold = facts.first_step(values, gradients)
    OPTIMIZERS[name](model.parameters()).step()
    after, _ = arrays(model)

    assert set(foretold) == set(before)
    for path, old in before.items():
        assert foretold[path] == pytest.approx(after[path] - old, abs=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_reading_and_foretelling_change_neither_model_nor_optimizer(name):
    model = net()
    optimizer = OPTIMIZERS[name](model.parameters())
    optimizer.step()
    state, values = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(arrays(model))
    facts = framework.optimizer_facts(model, optimizer)
    facts.first_step(*arrays(model))

    assert str(optimizer.state_dict()) == str(state)
    for old, new in zip(values, arrays(model), strict=True):
        assert all(np.array_equal(old[path], new[path]) for path in old)


@settings(deadline=None, max_examples=30)
@given(
    name=st.sampled_from(["sgd", "adam", "adamw", "rmsprop", "adagrad"]),
    power=st.floats(-12, 3),
    rate=st.floats(1e-5, 1.0),
)
def test_formulas_by_name_are_those_of_pytorch(name, power, rate):
    weight = torch.nn.Parameter(torch.ones(3, 2, dtype=torch.float64))
    gradient = 10.0**power * np.array([[1.0, -0.5], [0.3, -2.0], [0.01, 1.5]])
    weight.grad = torch.tensor(gradient)
    kinds = {
        "sgd": torch.optim.SGD,
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "rmsprop": torch.optim.RMSprop,
        "adagrad": torch.optim.Adagrad,
    }
    kinds[name]([weight], lr=rate, weight_decay=0.0).step()
    foretold = named(name, rate).first_step({"w": gradient}, {"w": gradient})["w"]

    assert foretold == pytest.approx(weight.detach().numpy() - 1.0, rel=1e-9, abs=1e-15)


def test_rates_are_read_group_by_group_and_what_is_in_none_is_named():
    model = net()
    groups = [
        {"params": [model[0].weight], "lr": 0.5},
        {"params": [model[1].weight, model[1].bias]},
    ]
    facts = framework.optimizer_facts(model, torch.optim.SGD(groups, lr=0.1))

    assert dict(facts.rates) == {"0.weight": 0.5, "1.weight": 0.1, "1.bias": 0.1}
    assert facts.unstepped == ("0.bias",)


def test_frozen_parameters_are_not_missed():
    model = net()
    model[0].requires_grad_(requires_grad=False)
    facts = framework.optimizer_facts(model, torch.optim.SGD(model[1].parameters()))

    assert facts.unstepped == ()


def test_a_schedule_is_read_at_the_rate_that_it_has_set():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.01)
    facts = framework.optimizer_facts(model, optimizer)
    values, gradients = arrays(model)

    assert facts.rate_of("0.weight") == pytest.approx(1e-3)
    assert facts.first_step(values, gradients)["0.weight"] == pytest.approx(
        -1e-3 * gradients["0.weight"], rel=1e-6
    )


def test_weight_decay_is_no_part_of_the_step():
    model = net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.5)
    facts = framework.optimizer_facts(model, optimizer)
    values, gradients = arrays(model)
    still = {path: 0.0 * gradient for path, gradient in gradients.items()}

    assert facts.weight_decay == 0.5
    assert not any(np.any(a) for a in facts.first_step(values, still).values())


def test_a_subclass_is_of_the_family_of_its_base():
    class Mine(torch.optim.AdamW):
        pass

    model = net()

    assert framework.optimizer_facts(model, Mine(model.parameters())).family == "adamw"


def test_an_optimizer_that_needs_a_closure_takes_no_step():
    model = net()
    facts = framework.optimizer_facts(model, torch.optim.LBFGS(model.parameters()))

    assert facts.first_step is None


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(ArgumentError, match="optimizer"):
        framework.optimizer_facts(net(), object())
