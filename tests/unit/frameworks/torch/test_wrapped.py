"""Compiled and data parallel models are the models inside: same names, same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

import fanin
from fanin.errors import ModelError
from fanin.frameworks import torch as framework
from fanin.graph import Task

# torch.compile imports modules of torch's own that are deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


class Net(nn.Module):
    """Has attributes called ``module`` and ``weight`` of its own, and a buffer."""

    def __init__(self, wrap=lambda inner: inner) -> None:
        super().__init__()
        self.module = nn.Linear(8, 16)
        self.weight = nn.Parameter(torch.ones(16, 8))
        self.norm = nn.BatchNorm1d(16)
        self.inner = wrap(nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Dropout(0.2)))
        self.head = nn.Linear(16, 3)
        self.raises = False

    def forward(self, x):
        hidden = self.norm(torch.relu(self.module(x)) + x @ self.weight.T)
        if self.raises:
            msg = "told to"
            raise RuntimeError(msg)
        return self.head(self.inner(hidden))


@pytest.fixture(scope="module", autouse=True)
def group():
    distributed = torch.distributed
    store = distributed.HashStore()
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def data_parallel(net):
    return nn.parallel.DistributedDataParallel(net)


WRAPPED = {
    "compiled": lambda: torch.compile(Net()),
    "data parallel": lambda: data_parallel(Net()),
    "compiled data parallel": lambda: torch.compile(data_parallel(Net())),
    "data parallel of compiled": lambda: data_parallel(torch.compile(Net())),
    "averaged": lambda: AveragedModel(Net()),
    "compiled inside": lambda: Net(torch.compile),
}
kinds = pytest.mark.parametrize("make", WRAPPED.values(), ids=WRAPPED)


def batch():
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(32, 8, generator=generator)
    return x, torch.randint(0, 3, (32,), generator=generator)


@kinds
def test_names_are_those_of_the_model_inside(make):
    expected = [p.path for p in framework.parameters(Net())]

    assert [p.path for p in framework.parameters(make())] == expected
    assert set(framework.buffers(make())) >= {"norm.running_mean", "norm.running_var"}


@kinds
def test_init_writes_the_numbers_of_the_model_inside(make):
    x, y = batch()
    alone, wrapped = Net(), make()

    plan = fanin.init(alone, x, "cross_entropy", y, seed=5)
    other = fanin.init(wrapped, x, "cross_entropy", y, seed=5)

    assert [p.path for p in other.prescriptions] == [p.path for p in plan.prescriptions]
    written = framework.read(wrapped)
    for path, array in framework.read(alone).items():
        np.testing.assert_array_equal(written[path], array)


@kinds
def test_check_finds_what_it_finds_in_the_model_inside(make):
    x, y = batch()
    wrapped = make()
    fanin.apply(fanin.plan(wrapped, x, "cross_entropy", y, seed=5), wrapped)

    report = fanin.check(wrapped, x, "cross_entropy", y)

    assert report.ok
    assert all("_orig_mod" not in f.where for f in report.findings)


@kinds
def test_places_in_the_graph_are_those_of_the_model_inside(make):
    x, _ = batch()

    graph = framework.record(make(), Task(batch=x))

    assert {node.path for node in graph.linears} == {"", "module", "inner.0", "head"}


@kinds
def test_a_wrapped_model_is_as_it_was_after_it_raised(make):
    x, _ = batch()
    wrapped = make()
    net = next(m for m in wrapped.modules() if isinstance(m, Net))
    net.raises = True
    before = {k: v.clone() for k, v in wrapped.state_dict().items()}
    modes = [m.training for m in wrapped.modules()]

    with pytest.raises(ModelError, match="told to"):
        fanin.init(wrapped, x, seed=0)

    assert [m.training for m in wrapped.modules()] == modes
    for name, tensor in wrapped.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_the_names_with_wrappers_are_understood_when_written():
    net = data_parallel(Net())
    values = np.full((3,), 0.5)

    framework.write(net, {"module.head.bias": lambda _: values})

    assert net.module.head.bias.tolist() == [0.5, 0.5, 0.5]


def test_a_module_called_module_draws_numbers_of_its_own():
    net = Net()
    fanin.init(net, batch()[0], seed=0, overrides={"weight": "normal(std=1)"})
    plan = fanin.plan(net, seed=0, scheme="normal(std=1)", only=["weight", "module.*"])

    draws = plan.draws()

    assert not np.array_equal(draws["weight"](None), draws["module.weight"](None))
