"""A check keeps no whole gradients, records once, and runs no pass for nothing."""

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.api.task import find_framework, make_task
from fanin.frameworks import torch as framework
from fanin.rules import inspect
from fanin.rules.slopes import Slopes

SAMPLES, WIDTH = 16, 8


def net(*, zero_head=False):
    torch.manual_seed(0)
    head = nn.Linear(WIDTH, 3)
    if zero_head:
        nn.init.zeros_(head.weight)
    return nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), head)


def task():
    generator = torch.Generator().manual_seed(1)
    batch = torch.randn(SAMPLES, WIDTH, generator=generator)
    return make_task(batch, "cross_entropy", torch.arange(SAMPLES) % 3, None, 0)


@pytest.fixture
def counted(monkeypatch):
    """Count the runs that torch makes, by kind."""
    counts = {"recorded": 0, "forward": 0, "backward": 0}
    kinds = (("recorded", "on_shapes"), ("backward", "gradients_of"))

    def counting(kind, work):
        def run(*args, **kwargs):
            counts[kind] += 1
            return work(*args, **kwargs)

        return run

    module = framework.measure.__globals__
    for kind, name in kinds:
        monkeypatch.setitem(module, name, counting(kind, module[name]))
    monkeypatch.setitem(module, "scalar_of", counting("forward", module["scalar_of"]))
    return counts


def checked(model, **words):
    asked = task()
    return fanin.check(model, asked.batch, asked.loss, asked.target, **words)


@pytest.mark.parametrize("closure", [True, False])
def test_a_check_of_a_net_without_zeros_takes_one_pass(counted, closure):
    checked(net(), closure=closure)
    assert counted == {"recorded": 1, "forward": 1, "backward": 1}


def test_a_net_with_zeros_is_recorded_once(counted):
    checked(net(zero_head=True))
    assert counted == {"recorded": 1, "forward": 2, "backward": 2}


def test_without_the_closure_zeros_cost_a_forward_pass_and_no_more(counted):
    checked(net(zero_head=True), closure=False)
    assert counted == {"recorded": 1, "forward": 2, "backward": 1}


def test_without_the_closure_loss_and_outputs_are_those_of_the_model_as_it_is():
    model, asked = net(zero_head=True), task()
    seen = inspect(find_framework(model), model, asked, closure=False)
    whole = framework.measure(model, asked)
    assert seen.measured.loss == whole.loss
    assert np.array_equal(seen.measured.outputs, whole.outputs)
    assert seen.measured.gradients == {}
    assert seen.first_gradients.keys() == whole.gradients.keys()


@pytest.mark.parametrize("zero_head", [True, False])
def test_both_ways_find_the_same(zero_head):
    quick = checked(net(zero_head=zero_head), closure=False)
    whole = checked(net(zero_head=zero_head), select=quick.coverage.asked)
    assert [f.code for f in quick.findings] == [f.code for f in whole.findings]
    assert quick.coverage.n_reached == whole.coverage.n_reached


def test_what_follows_a_rehearsal_is_what_is_measured_anew():
    model, asked = net(zero_head=True), task()
    values = {"2.weight": np.full((3, WIDTH), 0.5, dtype=np.float32)}
    followed = framework.rehearse(model, asked).measure(values)
    alone = framework.measure(model, asked, values)
    assert followed.loss == alone.loss
    assert followed.sites.keys() == alone.sites.keys()
    for path, gradient in alone.gradients.items():
        assert np.array_equal(followed.gradients[path], gradient)


def test_gradients_are_kept_as_places_unless_an_optimizer_asks_for_them():
    model, asked = net(), task()
    places = inspect(find_framework(model), model, asked).measured.gradients
    whole = framework.measure(model, asked).gradients
    for path, gradient in whole.items():
        assert places[path].dtype == bool
        assert np.array_equal(places[path], gradient != 0)


def test_an_array_that_moves_throughout_takes_no_memory():
    assert Slopes()("w", np.ones((64, 64))).strides == (0, 0)


def test_entries_of_matrices_alone_are_noted():
    slopes = Slopes(is_whole=True)
    gradient = np.arange(6.0).reshape(2, 3)
    assert slopes("w", gradient) is gradient
    slopes("b", np.ones(3))
    assert list(slopes.entries) == ["w"]
    assert slopes.entries["w"].tolist() == gradient.reshape(-1).tolist()


def test_a_model_that_looks_at_its_numbers_is_not_rehearsed():
    class Looking(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(WIDTH, 3)

        def forward(self, x):
            return self.layer(x) if float(x.sum()) > 0.0 else self.layer(-x)

    assert framework.rehearse(Looking(), task()) is None
    assert checked(Looking()).coverage.n_moving == 2
