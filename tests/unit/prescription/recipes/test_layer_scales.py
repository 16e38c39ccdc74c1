"""Learned scales on residual branches, under the policy "auto"."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.prescription import Evidence, make_plan
from tests.unit.prescription.policies.streams import WIDTH, residual_mlp


class Scaled(nn.Module):
    """x + γ·branch(x)."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))
        self.scale = nn.Parameter(torch.full((64,), start))

    def forward(self, x):
        return x + self.scale * self.branch(x)


def test_the_scale_holds_the_root_and_the_end_does_not():
    plan = make_plan(residual_mlp(9, scale=(WIDTH,)))

    assert plan["4.scale"].value == pytest.approx(1 / 3)
    assert plan["4.end.weight"].target == pytest.approx(1.0)
    assert "divided" in plan["4.end.weight"].reason


def test_without_a_scale_the_end_is_divided():
    plan = make_plan(residual_mlp(9))

    assert plan["4.end.weight"].target == pytest.approx(1 / 3)


def test_scales_that_are_zero_are_zero_on_purpose():
    graph = residual_mlp(4, scale=(1,))
    zeros = {p.path: np.zeros(1) for p in graph.parameters if p.path.endswith("scale")}
    plan = make_plan(graph, evidence=Evidence(values=zeros))

    assert plan["2.scale"].law == "keep"
    assert plan["2.end.weight"].target == pytest.approx(1 / 2)


def test_a_frozen_scale_and_one_that_the_caller_names_stay():
    plan = make_plan(residual_mlp(4, scale=(WIDTH,)), overrides={"1.scale": "keep"})

    assert plan["1.scale"].law == "keep"
    assert plan["2.scale"].value == pytest.approx(1 / 2)


@pytest.mark.parametrize("start", [1e-6, 1.0])
def test_branches_arrive_at_the_size_that_adds_up_to_a_bounded_stream(start):
    torch.manual_seed(0)
    net = nn.Sequential(*[Scaled(start) for _ in range(16)], nn.Linear(64, 10))
    x = torch.randn(256, 64)
    fanin.init(net, x, seed=1)
    for block in net[:-1]:
        branch = block.scale * block.branch(x)
        assert float(branch.detach().square().mean().sqrt()) == pytest.approx(
            1 / sqrt(16), rel=1e-3
        )
        x = block(x)
