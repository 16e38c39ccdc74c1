"""A model on the meta device gets memory and numbers, wholly or not at all."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.errors import ArgumentError, ModelError, NoStorageError
from fanin.frameworks import torch as framework


class Tied(nn.Module):
    """A table that is read on the way in and on the way out, and a norm between."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(9, 6)
        self.norm = nn.BatchNorm1d(6)
        self.head = nn.Linear(6, 9, bias=False)
        self.head.weight = self.table.weight

    def forward(self, ids):
        return self.head(self.norm(self.table(ids).mean(1)))


def on_meta(make=Tied):
    with torch.device("meta"):
        return make()


def numbers(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def is_same(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[name], other[name]) for name in one
    )


def test_a_meta_model_gets_the_bits_of_one_in_memory():
    there, here = on_meta(), Tied()
    plans = [fanin.init(model, seed=1) for model in (there, here)]

    assert plans[0].to_json() == plans[1].to_json()
    assert is_same(numbers(there), numbers(here))


def test_ties_order_and_objects_are_kept():
    model = on_meta()
    before = dict(model.named_parameters(remove_duplicate=False))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    fanin.init(model, seed=1)
    after = dict(model.named_parameters(remove_duplicate=False))

    assert list(before) == list(after)
    assert all(before[name] is after[name] for name in before)
    assert model.head.weight is model.table.weight
    assert optimizer.param_groups[0]["params"][0].device.type == "cpu"


def test_what_is_noted_on_a_parameter_stays():
    model = on_meta()
    model.table.weight.no_decay = True
    fanin.init(model, seed=1)

    assert model.table.weight.no_decay
    assert model.table.weight.requires_grad


def test_it_trains_afterwards():
    model = on_meta()
    fanin.init(model, seed=1)
    model(torch.arange(8).reshape(4, 2)).square().mean().backward()

    assert model.table.weight.grad.abs().sum() > 0
    assert model.norm.num_batches_tracked == 1


def test_only_what_has_no_memory_gets_some():
    model = on_meta()
    model.norm.to_empty(device="cpu")
    held = model.norm.weight.data_ptr()
    fanin.init(model, seed=1)

    assert model.norm.weight.data_ptr() == held


class Mask(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.register_buffer("mask", torch.arange(4.0), persistent=False)

    def forward(self, x):
        return self.layer(x) * self.mask


class Knowing(Mask):
    def reset_buffers(self):
        self.mask.copy_(torch.arange(4.0))


class Replacing(Mask):
    def reset_parameters(self):
        nn.init.zeros_(self.layer.weight)
        self.mask = torch.arange(4.0)


class Attribute(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.init_weights()

    def init_weights(self):
        self.mask = torch.arange(4.0)

    def forward(self, x):
        return self.layer(x) * self.mask


@pytest.mark.parametrize("make", [Knowing, Replacing, Attribute])
def test_a_buffer_gets_its_numbers_from_its_module(make):
    model = on_meta(make)
    was_drawn = torch.get_rng_state()
    fanin.init(model, seed=1)

    assert model.mask.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert model.layer.weight.abs().min() > 0
    assert torch.equal(torch.get_rng_state(), was_drawn)


def test_a_buffer_that_nobody_knows_is_named_and_nothing_is_changed():
    model = nn.Sequential(on_meta(Knowing), on_meta(Mask))
    held = dict(model.named_parameters()) | dict(model.named_buffers())

    with pytest.raises(ModelError, match=r"Buffer '1\.mask' is .* reset_buffers\(\)"):
        fanin.init(model, seed=1)
    now = dict(model.named_parameters()) | dict(model.named_buffers())
    assert all(now[name] is held[name] and now[name].is_meta for name in held)


def test_the_error_of_a_module_that_cannot_write_its_buffer_is_the_cause():
    class Failing(Mask):
        def reset_buffers(self):
            raise ZeroDivisionError

    with pytest.raises(ModelError) as caught:
        fanin.init(on_meta(Failing), seed=1)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_numbers_drawn_for_buffers_are_the_same_each_time_and_differ_in_each_module():
    class Features(Mask):
        def reset_buffers(self):
            self.mask.normal_()

    models = [nn.Sequential(on_meta(Features), on_meta(Features)) for _ in range(2)]
    for seed, model in enumerate(models):
        torch.manual_seed(seed)
        fanin.init(model, seed=1)

    assert torch.equal(models[0][0].mask, models[1][0].mask)
    assert not torch.equal(models[0][0].mask, models[0][1].mask)


def test_rotary_frequencies_of_transformers_are_computed():
    from tests.conformance.sharded_cases import llama

    there, here = on_meta(llama), llama()
    fanin.init(there, seed=1)
    fanin.init(here, seed=1)
    buffers = dict(there.named_buffers())

    assert any("inv_freq" in name for name in buffers)
    assert is_same(buffers, dict(here.named_buffers()))
    assert is_same(numbers(there), numbers(here))


class Scan(nn.Module):
    """A layer with rates that its author wrote: no law draws them."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.rates = nn.Parameter(torch.empty(3), requires_grad=False)

    def forward(self, x):
        return self.layer(x) * self.rates


class Known(Scan):
    def reset_parameters(self):
        self.layer.reset_parameters()
        self.rates.copy_(torch.arange(3.0))


class Renewed(Scan):
    def reset_parameters(self):
        self.rates = nn.Parameter(torch.arange(3.0), requires_grad=False)


@pytest.mark.parametrize("make", [Known, Renewed])
def test_a_parameter_that_is_kept_gets_what_its_author_writes(make):
    model, drawn = on_meta(make), on_meta(Scan)
    held = model.rates
    fanin.init(model, seed=1)
    fanin.init(drawn, seed=1, overrides={"rates": "zeros"})

    assert model.rates is held
    assert held.tolist() == [0.0, 1.0, 2.0]
    assert torch.equal(model.layer.weight, drawn.layer.weight)


@pytest.mark.parametrize("skip", [None, "rates"], ids=["frozen", "skipped"])
def test_a_parameter_that_would_keep_numbers_it_has_not_is_refused(skip):
    model = on_meta(Scan)
    model.rates.requires_grad_(skip is not None)
    with pytest.raises(NoStorageError, match=r"'rates'.*is not drawn"):
        fanin.init(model, seed=1, skip=skip)

    assert all(parameter.is_meta for parameter in model.parameters())


@pytest.mark.parametrize(
    "words",
    [{"only": "head.*"}, {"skip": "body.*"}, {"overrides": {"body.*": "keep"}}, {}],
    ids=["only", "skip", "keep", "frozen"],
)
def test_a_body_that_is_to_keep_trained_numbers_does_not_get_drawn_ones(words):
    with torch.device("meta"):
        model = nn.Sequential()
        model.body, model.act, model.head = nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2)
    model.body.requires_grad_(bool(words))

    with pytest.raises(NoStorageError, match=r"'body\.weight'.*is not drawn"):
        fanin.init(model, seed=1, **words)
    assert all(parameter.is_meta for parameter in model.parameters())


class Scaled(nn.Module):
    """A table whose rows are multiplied by a number that is a buffer (Gemma)."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(9, 16)
        self.register_buffer("factor", torch.tensor(4.0), persistent=False)
        self.layer = nn.Linear(16, 16)

    def reset_buffers(self):
        self.factor.fill_(4.0)

    def forward(self, ids):
        return self.layer(self.table(ids) * self.factor)


def test_a_plan_reads_the_numbers_of_buffers_that_have_none_yet():
    model = on_meta(Scaled)
    plans = [fanin.plan(each, seed=1).to_json() for each in (model, Scaled())]

    assert plans[0] == plans[1]
    assert model.factor.is_meta


def test_a_parameter_that_others_hold_on_to_is_refused_and_nothing_is_changed():
    model = on_meta()
    watcher = weakref.ref(model.norm.bias)

    with pytest.raises(ModelError, match=r"'norm\.bias' cannot be given memory"):
        fanin.init(model, seed=1)
    assert watcher() is model.norm.bias
    assert all(tensor.is_meta for tensor in model.state_dict().values())


def test_a_draw_that_raises_leaves_the_model_without_memory():
    model = on_meta()
    made = fanin.plan(model, seed=1)
    draws = dict(made.draws()) | {"norm.bias": _Failing()}

    with pytest.raises(ZeroDivisionError):
        framework.write(model, draws)
    assert all(tensor.is_meta for tensor in model.state_dict().values())
    assert model.head.weight is model.table.weight


class _Failing:
    shape = (6,)

    def __call__(self, index):
        raise ZeroDivisionError

    def fill(self, out, region=None):
        raise ZeroDivisionError


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_the_device_can_be_named(device):
    model = on_meta()
    fanin.init(model, seed=1, device=device)

    assert model.head.weight.device.type == "cpu"


def test_a_device_without_memory_is_refused():
    with pytest.raises(ArgumentError, match="a device with memory"):
        fanin.init(on_meta(), seed=1, device="meta")


def test_a_saved_plan_is_applied_to_a_meta_model():
    made = fanin.plan(on_meta(), seed=1)
    model, other = on_meta(), Tied()
    fanin.apply(type(made).from_json(made.to_json()), model)
    made.apply(other)

    assert is_same(numbers(model), numbers(other))


def net():
    return nn.Sequential(
        nn.Sequential(nn.Linear(5, 8), nn.Tanh()),
        nn.Sequential(nn.Linear(8, 8), nn.Tanh()),
        nn.Linear(8, 3),
    )


def test_the_stages_of_a_pipeline_get_the_numbers_of_the_whole():
    made = fanin.plan(on_meta(net), seed=1)
    whole = net()
    made.apply(whole)
    blocks, head = on_meta(net)[:2], on_meta(net)[2]
    made.apply(blocks, prefix="")
    made.apply(head, prefix="2")
    found = {**numbers(blocks), **{f"2.{n}": t for n, t in numbers(head).items()}}

    assert is_same(found, numbers(whole))


def test_a_part_with_a_parameter_that_the_plan_lacks_is_refused():
    made = fanin.plan(net(), seed=1)
    with pytest.raises(fanin.FaninError, match=r"3\.weight"):
        made.apply(nn.Linear(8, 3), prefix="3")
    assert np.isfinite(made["2.weight"].std)
