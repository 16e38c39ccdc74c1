"""What an optimizer's first step does: FAN304, FAN305, FAN306."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import fanin
from fanin.rules import Severity
from fanin.rules.fan305_adam_floor import TIMES_EPS
from fanin.rules.fan306_first_step_too_large import ALL_IN_LINE
from fanin.rules.updates import half_unit

CODES = ["FAN304", "FAN305", "FAN306"]


def batch(n=32, n_in=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, n_in, generator=generator)
    return inputs, torch.randint(10, (n,), generator=generator)


def mlp(activation=nn.ReLU, n_hidden=2, width=32):
    torch.manual_seed(1)
    blocks = [[nn.Linear(width, width), activation()] for _ in range(n_hidden)]
    return nn.Sequential(*(each for block in blocks for each in block)).append(
        nn.Linear(width, 10)
    )


def found(model, inputs=None, select=CODES, **told):
    x, y = batch()
    x = x if inputs is None else inputs
    report = fanin.check(model, x, "cross_entropy", y, select=select, **told)
    return {f.code: f for f in (*report.findings, *report.consequences)}


@given(
    values=st.lists(
        st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6), min_size=1, max_size=20
    ),
    dtype=st.sampled_from(["float16", "bfloat16", "float32"]),
)
def test_half_a_unit_in_the_last_place_is_what_a_sum_loses(values, dtype):
    kind = getattr(torch, dtype)
    held = torch.tensor(values, dtype=torch.float64).to(kind)
    held = held[torch.isfinite(held) & (held.abs() >= torch.finfo(kind).tiny)]
    half = torch.tensor(half_unit(held.double().numpy(), dtype))
    away = held.sign() * half

    assert torch.equal((held.double() + 0.999 * away).to(kind), held)
    assert not torch.any((held.double() + 1.001 * away).to(kind) == held)


def test_weights_of_bfloat16_lose_small_steps_of_gradient_descent():
    model, inputs = mlp().bfloat16(), batch()[0].bfloat16()
    finding = found(model, inputs, optimizer="sgd", learning_rate=1e-3)["FAN304"]

    assert finding.severity is Severity.ERROR
    assert finding.mends == ()
    assert finding.value > finding.interval[1]


def test_that_step_is_truly_lost():
    model, inputs = mlp().bfloat16(), batch()[0].bfloat16()
    before = [p.detach().clone() for p in model.parameters() if p.ndim > 1]
    nn.functional.cross_entropy(model(inputs), batch()[1]).backward()
    torch.optim.SGD(model.parameters(), lr=1e-3).step()
    after = [p.detach() for p in model.parameters() if p.ndim > 1]
    same = [(a == b).double().mean().item() for a, b in zip(after, before, strict=True)]

    assert min(same) > 0.95


@pytest.mark.parametrize(
    ("dtype", "told"),
    [
        (torch.float32, {"optimizer": "sgd", "learning_rate": 1e-3}),
        (torch.bfloat16, {"optimizer": "adam", "learning_rate": 1e-2}),
        (torch.bfloat16, {"optimizer": "sgd"}),
        (torch.bfloat16, {}),
    ],
    ids=["float32", "large-steps", "no-rate", "no-optimizer"],
)
def test_steps_that_arrive_or_are_not_known_are_passed_over(dtype, told):
    assert "FAN304" not in found(mlp().to(dtype), batch()[0].to(dtype), **told)


def test_adam_with_a_tiny_rate_loses_its_steps_too():
    model, inputs = mlp().bfloat16(), batch()[0].bfloat16()

    assert "FAN304" in found(model, inputs, optimizer="adam", learning_rate=1e-6)


def test_a_vanished_gradient_is_lost_in_float32():
    model = mlp(nn.Sigmoid, n_hidden=12)
    finding = found(model, optimizer="sgd", learning_rate=0.01)["FAN304"]

    assert "0.weight" in finding.paths
    assert finding.mends


def test_a_vanished_gradient_is_down_at_the_floor_of_adam():
    model = mlp(nn.Sigmoid, n_hidden=12)
    finding = found(model, optimizer="adam")["FAN305"]

    assert finding.value < finding.interval[0] == pytest.approx(1.476e-9)
    assert "0.weight" in finding.paths


def test_a_smaller_eps_takes_the_floor_away():
    model = mlp(nn.Sigmoid, n_hidden=6)
    coarse = torch.optim.Adam(model.parameters(), eps=1e-4)
    fine = torch.optim.Adam(model.parameters(), eps=1e-12)

    assert "FAN305" in found(model, optimizer=coarse)
    assert "FAN305" not in found(model, optimizer=fine)


class Scaled(nn.Module):
    """A residual branch behind a gain of 1e-6 (LayerScale)."""

    def __init__(self, gain=1e-6):
        super().__init__()
        torch.manual_seed(0)
        self.branch = nn.Sequential(nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 32))
        self.gain = nn.Parameter(torch.full((32,), gain))
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        return self.head(x + self.gain * self.branch(x))


@pytest.mark.parametrize("gain", [0.0, 1e-10, 1e-6])
@pytest.mark.parametrize(
    "told",
    [
        {"optimizer": "adamw", "learning_rate": 1e-3},
        {"optimizer": "sgd", "learning_rate": 0.1},
    ],
    ids=["adamw", "sgd"],
)
def test_a_branch_behind_a_small_gain_wakes_after_a_step(gain, told):
    assert not found(Scaled(gain), **told)


class Attention(nn.Module):
    """The bias of its keys has a gradient of rounding noise: softmax takes it out."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)
        self.query, self.key = nn.Linear(32, 32), nn.Linear(32, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = x.unflatten(1, (4, 8)).repeat(1, 1, 4)
        scores = torch.softmax(self.query(x) @ self.key(x).transpose(1, 2), dim=-1)
        return self.head((scores @ x + self.attention(x, x, x)[0]).mean(dim=1))


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_a_bias_that_is_taken_out_again_is_not_judged(name):
    assert not found(Attention(), optimizer=name, learning_rate=1e-3)


def test_a_step_larger_than_its_weights_is_too_large():
    finding = found(mlp(), optimizer="sgd", learning_rate=1e3)["FAN306"]

    assert finding.value > 1.0
    assert finding.severity is Severity.WARNING


def test_steps_of_adam_are_held_to_a_tenth_of_all_weights():
    model = mlp()
    large = found(model, optimizer="adam", learning_rate=0.05)["FAN306"]

    assert 0.1 < large.value < 1.0
    assert "FAN306" not in found(model, optimizer="adam", learning_rate=1e-3)


def test_weights_of_zero_are_left_out():
    model = mlp()
    nn.init.zeros_(model[-1].weight)

    assert "FAN306" not in found(model, optimizer="adam", learning_rate=1e-3)


def test_a_warm_up_is_judged_at_its_start():
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1e-3)

    assert "FAN306" not in found(model, optimizer=optimizer)


def test_an_optimizer_of_signs_makes_a_backward_drift_a_note():
    model = mlp(nn.Sigmoid, n_hidden=8)
    bare = found(model, select=None)["FAN301"]
    told = found(model, select=None, optimizer="adam", learning_rate=1e-3)["FAN301"]

    assert bare.severity is Severity.ERROR
    assert told.severity is Severity.INFO


def test_the_mean_step_of_adam_is_a_tenth_of_the_rate_at_the_limit_named():
    """E[|g|/(|g| + ε)] for Gaussian g of root mean square 0.1476ε, integrated."""
    grid = np.linspace(0.0, 12.0, 1_200_001)
    density = sqrt(2.0 / pi) * np.exp(-np.square(grid) / 2.0) * (grid[1] - grid[0])

    def mean_step(times):
        return float(np.sum(density * times * grid / (times * grid + 1.0)))

    assert mean_step(TIMES_EPS) == pytest.approx(0.1, abs=1e-4)
    assert abs(mean_step(1.02 * TIMES_EPS) - 0.1) > 1e-3


def test_a_step_in_line_replaces_the_output_at_the_width_named():
    """With h Gaussian, |Σ ±lr·h| over the output's size is r·√(2n/π): 1 at n = 157."""
    n = 157
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(4000, n, generator=generator, dtype=torch.float64)
    weights = torch.randn(4000, n, generator=generator, dtype=torch.float64)
    before = (weights * inputs).sum(1)
    moved = ALL_IN_LINE * inputs.abs().sum(1)  # lr·sign(gradient), all in line
    ratio = (moved.square().mean() / before.square().mean()).sqrt().item()

    # E[(Σ|h|)²] = n(1 − 2/π) + 2n²/π: 1.002 of (n·√(2/π))²
    assert ALL_IN_LINE * sqrt(2.0 * n / pi) == pytest.approx(1.0, abs=1e-3)
    assert ratio == pytest.approx(1.0, abs=5.0 / sqrt(2.0 * 4000))
