"""A model is changed wholly or not at all: whatever is wrong is named, nothing written.

Bits are compared, of parameters and buffers, before and after.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import fanin
from fanin.errors import (
    BatchError,
    ContradictionError,
    FaninError,
    ShapeError,
    SignalError,
    UnknownParameterError,
)

torch = pytest.importorskip("torch")
nn = torch.nn


class Silent(nn.Module):
    """Gives 0 for every input."""

    def forward(self, x):
        return torch.relu(-x.square() - 1.0)


class Broken(nn.Module):
    """Gives NaN for every input below 0."""

    def forward(self, x):
        return torch.sqrt(x)


class WithSpare(nn.Module):
    """Holds a layer that never runs."""

    def __init__(self):
        super().__init__()
        self.used = nn.Linear(6, 4)
        self.spare = nn.Linear(6, 4)

    def forward(self, x):
        return self.used(x)


def net(middle=None):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 20),
        nn.BatchNorm1d(20),
        nn.ReLU() if middle is None else middle,
        nn.Linear(20, 20),
        nn.Tanh(),
        nn.Linear(20, 3),
    )


def batch():
    return torch.from_numpy(np.random.default_rng(1).normal(size=(16, 6))).float()


def bits(model):
    return {
        k: v.detach().clone().numpy().tobytes() for k, v in model.state_dict().items()
    }


def with_nan():
    x = batch()
    x[3, 2] = float("nan")
    return x


WRONG = {
    "a batch that holds NaN": (net, with_nan, {}, BatchError, "NaN"),
    "an activation that gives NaN": (
        lambda: net(Broken()),
        batch,
        {},
        SignalError,
        "not finite",
    ),
    "an activation that never varies": (
        lambda: net(Silent()),
        batch,
        {},
        SignalError,
        r"'3\.weight'.* is always 0",
    ),
    "overrides that contradict each other": (
        net,
        batch,
        {"overrides": {"3*": "zeros", "*.weight": "ones"}},
        ContradictionError,
        r"'3\.weight' is asked to be 'zeros'",
    ),
    "an override on what is skipped": (
        net,
        batch,
        {"overrides": {"5.bias": "ones"}, "skip": "5.*"},
        ContradictionError,
        r"'5\.bias'",
    ),
    "a pattern that fits nothing": (
        net,
        batch,
        {"only": "6.*"},
        UnknownParameterError,
        r"'6\.\*'",
    ),
    "a policy and a scheme": (
        net,
        batch,
        {"policy": "gpt2", "scheme": "zeros"},
        ContradictionError,
        "policy='gpt2'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_and_nothing_written(name):
    build, make_batch, wishes, error, message = WRONG[name]
    model = build()
    before = bits(model)

    with pytest.raises(error, match=message):
        fanin.init(model, make_batch(), **wishes)

    assert bits(model) == before


def test_a_model_that_lacks_the_last_parameter_is_as_it_was():
    plan = fanin.plan(net(), batch())
    smaller = net()[:5]
    before = bits(smaller)

    with pytest.raises(UnknownParameterError, match=r"'5\.weight'"):
        plan.apply(smaller)

    assert bits(smaller) == before


def test_a_model_whose_last_parameter_has_another_shape_is_as_it_was():
    plan = fanin.plan(net(), batch())
    other = net()
    other[5] = nn.Linear(20, 4)
    before = bits(other)

    with pytest.raises(ShapeError, match=r"'5\.weight'"):
        plan.apply(other)

    assert bits(other) == before


def test_a_draw_that_fails_late_leaves_nothing_behind():
    made = fanin.plan(net(), batch())
    *kept, weight, bias = made.prescriptions
    weight = replace(weight, n_blocks=7)
    broken = replace(made, prescriptions=(*kept, weight, bias))
    model = net()
    before = bits(model)

    with pytest.raises(FaninError, match=r"7 divides, for '5\.weight'"):
        broken.apply(model)

    assert bits(model) == before


def test_a_layer_that_never_runs_is_named_and_keeps_its_values():
    torch.manual_seed(0)
    model = WithSpare()
    before = model.spare.weight.detach().clone()

    plan = fanin.init(model, batch())

    assert any("reads spare.weight, spare.bias: kept" in text for text in plan.warnings)
    assert plan["spare.weight"].is_kept
    assert torch.equal(model.spare.weight, before)


def test_what_is_right_changes_every_parameter_and_no_buffer():
    model = net()
    before = bits(model)

    plan = fanin.init(model, batch(), seed=3)

    after = bits(model)
    buffers = {name for name, _ in model.named_buffers()}
    assert all(after[name] == before[name] for name in buffers)
    assert all(
        np.array_equal(draw(None), model.get_parameter(path).detach().numpy())
        for path, draw in plan.draws().items()
    )
    assert set(plan.draws()) == {name for name, _ in model.named_parameters()}


def test_the_same_plan_with_another_seed_keeps_the_laws():
    plan = fanin.plan(net(), batch(), seed=3)
    first, second = plan.apply(net()), plan.apply(net(), seed=4)

    assert not torch.equal(first[3].weight, second[3].weight)
    assert second[3].weight.std().item() == pytest.approx(
        first[3].weight.std().item(), rel=2 * 5 / (2 * 400) ** 0.5
    )
