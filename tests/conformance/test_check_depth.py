"""The depth at which the rules begin to speak is the depth at which training fails.

Dense nets of width 128 on digits with plain SGD, the best of several learning rates,
300 to 400 steps: those called quiet here passed 50 % accuracy, those called loud did
not, and most of them stayed at chance.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fanin.frameworks import torch as framework
from fanin.graph import Task
from fanin.rules import Verdict, inspect, judge

WIDTH, CLASSES, BATCH, FEATURES = 128, 10, 64, 64
QUIET = [
    ("relu", "default", 3),
    ("relu", "default", 5),
    ("relu", "glorot", 10),
    ("relu", "he", 30),
    ("tanh", "default", 8),
    ("tanh", "glorot", 30),
    ("tanh", "he", 30),
]
LOUD = [
    ("relu", "default", 10),
    ("relu", "default", 30),
    ("relu", "glorot", 20),
    ("relu", "glorot", 30),
    ("relu", "tiny", 10),
    ("relu", "large", 10),
    ("tanh", "default", 20),
    ("tanh", "tiny", 10),
    ("tanh", "large", 10),
]
SCHEMES = {
    "default": lambda weight: None,
    "glorot": nn.init.xavier_normal_,
    "he": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
    "tiny": lambda weight: nn.init.normal_(weight, std=0.01),
    "large": lambda weight: nn.init.normal_(weight, std=1.0),
}


def verdict(activation, scheme, depth):
    torch.manual_seed(0)
    layers, n_in = [], FEATURES
    for _ in range(depth):
        layer = nn.Linear(n_in, WIDTH)
        SCHEMES[scheme](layer.weight)
        if scheme != "default":
            nn.init.zeros_(layer.bias)
        layers += [layer, {"relu": nn.ReLU, "tanh": nn.Tanh}[activation]()]
        n_in = WIDTH
    model = nn.Sequential(*layers, nn.Linear(n_in, CLASSES))
    target = torch.randint(CLASSES, (BATCH,))
    task = Task(batch=torch.randn(BATCH, FEATURES), loss="cross_entropy", target=target)
    return judge(inspect(framework, model, task)).verdict


@pytest.mark.parametrize(("activation", "scheme", "depth"), QUIET)
def test_a_net_that_trains_is_called_healthy(activation, scheme, depth):
    assert verdict(activation, scheme, depth) is Verdict.HEALTHY


@pytest.mark.parametrize(("activation", "scheme", "depth"), LOUD)
def test_a_net_that_does_not_train_is_called_so(activation, scheme, depth):
    assert verdict(activation, scheme, depth) is Verdict.WILL_STRUGGLE
