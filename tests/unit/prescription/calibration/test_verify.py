"""What one run at a plan's numbers shows: written beside it, refused, or warned of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.errors import SignalError
from fanin.frameworks import torch as framework
from fanin.graph import Task
from fanin.prescription import make_plan
from fanin.prescription.calibration.verify import verified


def batch(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(8))


def seen(net, x, **plan):
    """Give the plan of a net, verified at the net's present numbers."""
    task = Task(batch=x)
    made = make_plan(framework.record(net, task), **plan)
    return verified(made, framework.measure(net, task))


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = nn.Linear(16, 16), nn.Linear(16, 3)
        nn.init.zeros_(self.inner.bias)

    def forward(self, x):
        return self.head(torch.tanh(self.inner(3.0 * torch.tanh(self.inner(x)))))


def test_uses_of_one_weight_are_pooled():
    torch.manual_seed(0)
    net, x = Shared(), batch(32, 16)

    plan = seen(net, x)

    with torch.no_grad():
        first = net.inner(x)
        second = net.inner(3.0 * torch.tanh(first))
    expected = torch.stack([first, second]).square().mean().sqrt().item()
    assert plan["inner.weight"].measured == pytest.approx(expected, rel=1e-5)


def test_numbers_that_are_not_finite_are_refused():
    net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2))
    with torch.no_grad():
        net[1].weight[0, 0] = float("nan")

    with pytest.raises(SignalError, match="output of '1' is not finite"):
        seen(net, batch(16, 8))


def test_an_output_behind_the_last_weight_must_be_finite_too():
    class Log(nn.Module):
        def forward(self, x):
            return torch.log(x)

    net = nn.Sequential(nn.Linear(8, 8), Log())

    with pytest.raises(SignalError, match="output of 'the model' is not finite"):
        seen(net, batch(16, 8))


def test_an_activation_that_never_varies_is_refused():
    net = nn.Sequential(nn.Linear(8, 32), nn.Sigmoid(), nn.Linear(32, 2))
    with torch.no_grad():
        net[0].bias.fill_(1e3)

    with pytest.raises(
        SignalError, match="output of '1' is the same number throughout"
    ):
        seen(net, batch(16, 8))


def test_zeros_on_purpose_are_no_reason_to_refuse():
    net = nn.Sequential(nn.Linear(8, 32), nn.Sigmoid(), nn.Linear(32, 2))
    x = batch(16, 8)

    plan = fanin.init(net, x, overrides={"0.weight": "zeros"}, seed=0)

    assert plan["0.weight"].measured == 0.0
    assert not net[0].weight.any()


def test_input_that_is_forgotten_is_warned_of_and_what_can_help():
    torch.manual_seed(1)
    layers = [each for _ in range(12) for each in (nn.Linear(32, 32), nn.Tanh())]
    net = nn.Sequential(*layers, nn.Linear(32, 4))
    with torch.no_grad():
        for layer in net[:-1:2]:
            layer.weight *= 0.3
            layer.bias.fill_(0.5)

    said = "24.weight reads is almost the same for every sample"
    (text,) = (text for text in seen(net, batch(64, 32)).warnings if said in text)

    assert "residual connections" in text


def test_gradients_that_drift_are_warned_of_in_the_direction_they_drift():
    for factor, word in ((0.3, "fall"), (6.0, "grow")):
        torch.manual_seed(2)
        layers = [each for _ in range(14) for each in (nn.Linear(64, 64), nn.Tanh())]
        net = nn.Sequential(*layers, nn.Linear(64, 4))
        with torch.no_grad():
            for layer in net[:-1:2]:
                nn.init.normal_(layer.weight, std=factor / 8.0)
                layer.bias.zero_()

        texts = seen(net, batch(64, 64)).warnings

        assert any(f"squared gradients {word} by 10^" in text for text in texts)


def test_a_healthy_net_is_not_warned_of():
    layers = [each for _ in range(6) for each in (nn.Linear(64, 64), nn.ReLU())]
    net = nn.Sequential(*layers, nn.Linear(64, 4))

    plan = fanin.init(net, batch(64, 64), seed=0)

    assert not [text for text in plan.warnings if text.startswith("Measured")]
    assert plan.is_calibrated


def test_of_another_policy_it_is_said_that_auto_weighs_both():
    layers = [each for _ in range(30) for each in (nn.Linear(32, 32), nn.Sigmoid())]
    net = nn.Sequential(*layers, nn.Linear(32, 4))

    texts = fanin.plan(net, batch(64, 32), policy="torch", seed=0).warnings

    assert any("policy 'auto' weighs signal and gradients" in text for text in texts)


def test_a_plan_keeps_what_was_measured_in_its_file():
    net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    labels = torch.randint(0, 2, (16,), generator=torch.Generator().manual_seed(1))

    plan = fanin.plan(net, batch(16, 8), "cross_entropy", labels, seed=0)

    read = type(plan).from_json(plan.to_json())
    assert read == plan
    assert np.isfinite(read.measured_loss)
    assert read["0.weight"].input_share == plan["0.weight"].input_share
