"""Branches that multiply two functions of a stream, under the policy "auto"."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan
from tests.unit.prescription.policies.streams import WIDTH, gated_mlp, residual_mlp


def bilinear(n_blocks, *, is_normed=False):
    """x + D((A·x)·(B·x)), of the stream or of the normalized stream."""
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 12)), WIDTH, path="stem")
    for i in range(n_blocks):
        z = sketch.normalize(x, path=f"{i}.norm", kind="layer") if is_normed else x
        a, b = (sketch.dense(z, 32, path=f"{i}.{name}") for name in "ab")
        product = sketch.combine(Op.MULTIPLY, a, b)
        end = sketch.dense(product, WIDTH, path=f"{i}.end")
        x = sketch.combine(Op.ADD, x, end)
    return sketch.graph(sketch.dense(x, 10, path="head"))


def test_the_plain_factor_takes_it_all_and_the_gate_nothing():
    plan = make_plan(gated_mlp(9))

    assert plan["4.down.weight"].scheme == "zeros"
    assert plan["4.gate.weight"].target == pytest.approx(1.0)
    assert plan["4.up.weight"].target == pytest.approx(1 / sqrt(9))
    assert plan["4.up.weight"].std == pytest.approx(plan["4.gate.weight"].std / 3)


def test_two_plain_factors_share_it():
    plan = make_plan(bilinear(16))

    assert plan["3.a.weight"].target == pytest.approx(16**-0.25)
    assert plan["3.b.weight"].target == pytest.approx(16**-0.25)
    assert plan["3.end.weight"].std == 0.0


def test_behind_a_normalization_nothing_is_changed():
    plan = make_plan(bilinear(16, is_normed=True))

    assert plan["3.a.weight"].target == pytest.approx(1.0)
    assert plan["3.end.weight"].target == pytest.approx(1 / 4)


def test_a_branch_without_a_product_is_divided_by_the_root_of_their_number():
    plan = make_plan(residual_mlp(4))

    assert plan["2.end.weight"].target == pytest.approx(1 / 2)


def test_what_is_left_alone_stays_so():
    plan = make_plan(gated_mlp(4), skip="0.*")

    assert plan["0.up.weight"].is_kept
    assert plan["0.down.weight"].is_kept
    assert plan["1.down.weight"].std == 0.0


class Gated(nn.Module):
    def __init__(self, n_blocks):
        super().__init__()
        self.stem = nn.Linear(20, 32)
        self.ups = nn.ModuleList(nn.Linear(32, 96) for _ in range(n_blocks))
        self.downs = nn.ModuleList(nn.Linear(48, 32) for _ in range(n_blocks))
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        x = self.stem(x)
        for up, down in zip(self.ups, self.downs, strict=True):
            gate, value = up(x).chunk(2, dim=-1)
            x = x + down(nn.functional.silu(gate) * value)
        return self.head(x)


def test_of_a_fused_weight_only_the_plain_half_is_scaled():
    model = Gated(4)
    x = torch.randn(64, 20, generator=torch.Generator().manual_seed(0))
    plan = fanin.plan(model, x, seed=0)

    drawn = plan.draws()["ups.1.weight"](None)
    gate, value = drawn[:48], drawn[48:]
    assert value.std() / gate.std() == pytest.approx(1 / 2, rel=5 / sqrt(48 * 32))


def loss_after(model, policy, n_steps=30):
    """Train on a rule that no linear model fits; give the last loss."""
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(256, 20, generator=generator)
    target = (x[:, 0] * x[:, 1] > 0).long() + 2 * (x[:, 2] * x[:, 3] > 0).long()
    fanin.init(model, x, "cross_entropy", target, policy=policy, seed=2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    for _ in range(n_steps):
        loss = nn.functional.cross_entropy(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if not torch.isfinite(loss):
            return np.inf
    return float(loss.detach())


def test_gradient_descent_survives_where_dividing_the_ends_alone_does_not():
    assert loss_after(Gated(16), "auto") < np.log(4)
    assert not loss_after(Gated(16), "residual(mode=branches)") < 2.0
