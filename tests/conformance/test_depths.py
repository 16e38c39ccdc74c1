"""Trained at several depths, residual nets keep Depth-muP's promise."""

from __future__ import annotations

from functools import cache
from math import log, sqrt
from statistics import mean, stdev

import pytest
import torch
from torch import nn

import fanin

BASE, DEPTHS = 2, (4, 32)
OPTIMIZERS = {"adam": (torch.optim.Adam, 2.0**-9), "sgd": (torch.optim.SGD, 0.05)}
N_SEEDS = 5
FINITE = 0.05
"""What the shallower net's own depth may add to a slope: corrections of order 1/L."""


class Residual(nn.Module):
    """A stream of L branches with one weight each, for which the limit is shown."""

    def __init__(self, n_branches):
        super().__init__()
        self.first = nn.Linear(16, 64)
        self.branches = nn.ModuleList(nn.Linear(64, 64) for _ in range(n_branches))
        self.head = nn.Linear(64, 4)

    def stream(self, x):
        x = self.first(x)
        for branch in self.branches:
            x = x + branch(torch.tanh(x))
        return x

    def forward(self, x):
        return self.head(self.stream(x))


@cache
def plan_of(n_branches):
    model, base = Residual(n_branches), Residual(BASE)
    return fanin.plan(model, policy="depth_mup", base=base, law="normal", seed=0)


def change(n_branches, name, seed, *, has_rates=True):
    """Train for two steps; give the rms of the stream's change."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(32, 16, generator=generator)
    y = torch.randint(0, 4, (32,), generator=generator)
    model, plan = Residual(n_branches), plan_of(n_branches)
    plan.apply(model, seed=seed)
    kind, rate = OPTIMIZERS[name]
    groups = plan.groups(model, lr=rate, optimizer=name)
    steps = kind(groups if has_rates else model.parameters(), lr=rate)
    before = model.stream(x).detach()
    for _ in range(2):
        steps.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        steps.step()
    return float((model.stream(x).detach() - before).square().mean().sqrt())


def slope(name, **wishes):
    """Give the slope of log change over log depth, and its standard error."""
    found = []
    for seed in range(N_SEEDS):
        shallow, deep = (change(n, name, seed, **wishes) for n in DEPTHS)
        found.append(log(deep / shallow) / log(DEPTHS[1] / DEPTHS[0]))
    return mean(found), stdev(found) / sqrt(N_SEEDS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_stream_changes_by_the_same_amount_at_every_depth(name):
    found, error = slope(name)

    assert abs(found) <= 5 * error + FINITE
    assert error <= 0.03


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_one_learning_rate_for_all_is_found_out(name):
    found, error = slope(name, has_rates=False)

    assert found >= 0.5 + 5 * error
