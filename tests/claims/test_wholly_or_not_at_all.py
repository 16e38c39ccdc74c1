"""A model is changed wholly or not at all: whatever is wrong is named, nothing written.

Bits are compared, of parameters and buffers, before and after.
"""

from __future__ import annotations

import signal
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

import fanin
from fanin.api.task import find_framework
from fanin.errors import (
    BatchError,
    ContradictionError,
    FaninError,
    ShapeError,
    SignalError,
    UnknownParameterError,
)
from fanin.graph.draws import Draw

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


def refusing():
    """Give a net whose last bias no copy can be written into, and its bits."""
    model = net()
    model[5].bias = nn.Parameter(torch.zeros(1).expand(3))
    return model


def test_a_tensor_that_cannot_be_written_is_named_before_any_number_is():
    plan = fanin.plan(net(), batch())
    model = refusing()
    before = bits(model)

    with pytest.raises(FaninError, match=r"'5\.bias' cannot be written"):
        plan.apply(model)

    assert bits(model) == before


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_numbers_that_a_type_cannot_hold_are_refused_before_any_is_written(dtype):
    made = fanin.plan(net(), batch())
    *kept, bias = made.prescriptions
    too_large = replace(bias, law="constant", value=1e39, values=())
    model = net().to(dtype)
    before = model.state_dict()
    before = {name: tensor.clone() for name, tensor in before.items()}

    with pytest.raises(FaninError, match="a law whose numbers"):
        replace(made, prescriptions=(*kept, too_large)).apply(model)

    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


class Interrupting(Draw):
    """Presses Ctrl-C when its numbers are written."""

    def __init__(self, draw):
        self.draw = draw

    @property
    def shape(self):
        return self.draw.shape

    def __call__(self, index):
        return self.draw(index)

    def prepared(self, out, region=None):
        write = self.draw.prepared(out, region)

        def interrupted():
            signal.raise_signal(signal.SIGINT)
            write()

        return interrupted


def test_ctrl_c_waits_until_all_is_written():
    plan = fanin.plan(net(), batch(), seed=3)
    whole, model = plan.apply(net()), net()
    draws = dict(plan.draws())
    draws["0.weight"] = Interrupting(draws["0.weight"])

    with pytest.raises(KeyboardInterrupt):
        find_framework(model).write(model, draws)

    assert bits(model) == bits(whole)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_before_the_first_number_leaves_the_model_as_it_was():
    plan = fanin.plan(net(), batch(), seed=3)
    model = net()
    before = bits(model)

    def interrupted(_):
        raise KeyboardInterrupt

    draws = {**plan.draws(), "5.bias": interrupted}
    with pytest.raises(KeyboardInterrupt):
        find_framework(model).write(model, draws)

    assert bits(model) == before


LAYOUTS = {
    "as made": lambda t: t,
    "channels last": lambda t: t.to(memory_format=torch.channels_last),
    "with gaps": lambda t: torch.zeros(*t.shape[:-1], 7)[..., : t.shape[-1]],
    "a shifted view": lambda t: torch.zeros(t.numel() + 1)[1:].view(t.shape),
    "bfloat16": lambda t: t.to(torch.bfloat16),
    "bfloat16 channels last": lambda t: t.to(
        torch.bfloat16, memory_format=torch.channels_last
    ),
    "float64": lambda t: t.double(),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_numbers_do_not_depend_on_how_they_lie_in_memory(name):
    def kernels(layout):
        held = nn.Conv2d(3, 8, 5, bias=False)
        held.weight = nn.Parameter(layout(held.weight.detach()))
        return held

    plan = fanin.plan(kernels(lambda t: t), torch.ones(1, 3, 9, 9), seed=5)
    expected = plan.apply(kernels(lambda t: t)).weight
    received = plan.apply(kernels(LAYOUTS[name])).weight

    assert torch.equal(received, expected.to(received.dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("law", [None, "uniform", "truncated_normal"])
def test_beside_the_weights_no_memory_of_their_size_is_taken(dtype, law):
    """NumPy tells tracemalloc of its arrays; torch makes none here."""
    model = nn.Sequential(nn.Linear(1024, 4096), nn.GELU(), nn.Linear(4096, 1024))
    plan = fanin.plan(model, torch.ones(2, 1024), law=law, seed=3)
    model.to(dtype)
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    tracemalloc.start()
    plan.apply(model)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 0.05 * weights


def test_a_written_tensor_cannot_be_used_by_a_backward_pass_from_before():
    """Autograd sees the write: it would otherwise give a wrong gradient."""
    model = net()
    loss = model(batch()).square().sum()
    fanin.plan(model, batch(), seed=3).apply(model)

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


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
