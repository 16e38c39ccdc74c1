"""The table of failures measures what is there."""

import pytest
import torch
from torch import nn

from benchmarks import failures
from benchmarks._initializers import INITIALIZERS


def test_rms_and_gradients_are_those_of_the_outputs():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    with torch.no_grad():
        net[0].weight.copy_(2 * torch.eye(3))
        net[1].weight.copy_(5 * torch.eye(3))
    model = nn.Sequential(net, nn.Linear(3, 2))
    found = failures.measured(model, torch.ones(7, 3))
    assert found.layers == pytest.approx((2.0, 10.0))
    assert found.gradients == pytest.approx(5.0)
    assert found.sums is None


def test_writing_into_a_frozen_weight_is_named():
    model, _ = failures.CASES["first layer frozen"]()
    before = failures.values(model)
    assert failures.wrong_writes("first layer frozen", model, before) == "–"
    with torch.no_grad():
        model[0].weight.mul_(2)
    found = failures.wrong_writes("first layer frozen", model, before)
    assert found == "0.weight (frozen)"


def test_a_prior_that_is_lost_is_named():
    model, batch = failures.CASES["head with a prior"]()
    before = failures.values(model)
    INITIALIZERS["He"](model, batch)
    found = failures.wrong_writes("head with a prior", model, before)
    assert found == "4.bias (prior)"


def test_weights_left_as_they_were_are_counted():
    model, batch = failures.CASES["head with a prior"]()
    before = failures.values(model)
    assert failures.left(model, before) == "3 of 3"
    INITIALIZERS["He"](model, batch)
    assert failures.left(model, before) == "0 of 3"


@pytest.mark.parametrize("case", ["first layer frozen", "on the meta device"])
def test_a_row_is_filled_for_every_initializer(case):
    for name in ("default", "He", "fanin"):
        cells = failures.row(case, name)
        assert len(cells) == len(failures.HEAD)
        assert cells[:2] == (case, name)
