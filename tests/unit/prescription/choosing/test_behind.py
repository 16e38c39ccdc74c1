"""How large the end of a branch is before a gate or an activation."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import nn

import fanin
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan


def relu(x):
    return np.maximum(x, 0.0)


def stream(behind, n_blocks=4):
    """x + behind(W·x), a few times."""
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 6)), 16, path="stem")
    for i in range(n_blocks):
        z = sketch.dense(x, 16, path=f"{i}")
        x = sketch.combine(Op.ADD, x, behind(sketch, z))
    return sketch.graph(x)


def test_an_end_with_nothing_behind_it_has_the_root_of_the_number_of_branches():
    plan = make_plan(stream(lambda _, z: z))

    assert plan["2.weight"].target == pytest.approx(1 / 2)


def test_relu_behind_the_end_takes_half_of_the_square():
    plan = make_plan(stream(lambda sketch, z: sketch.apply(z, relu)))

    assert plan["2.weight"].target == pytest.approx(sqrt(2) / 2, rel=1e-4)


def test_a_gate_behind_the_end_is_integrated():
    def swish(sketch, z):
        return sketch.combine(
            Op.MULTIPLY, z, sketch.apply(z, lambda x: 1 / (1 + np.exp(-x)))
        )

    size = make_plan(stream(swish))["2.weight"].target

    def square(z):
        density = np.exp(-(z**2) / 2) / sqrt(2 * np.pi)
        return (size * z / (1 + np.exp(-size * z))) ** 2 * density

    assert sqrt(quad(square, -12, 12)[0]) == pytest.approx(1 / 2, rel=2e-4)


def test_a_size_that_no_input_gives_is_not_asked_for():
    plan = make_plan(
        stream(lambda sketch, z: sketch.apply(z, lambda x: 0.1 * np.tanh(x)))
    )

    assert plan["2.weight"].target == pytest.approx(1 / 2)


class Gated(nn.Module):
    """Residual blocks that end in a gated linear unit (Dauphin et al. 2017)."""

    def __init__(self, width=64, n_blocks=4):
        super().__init__()
        self.stem = nn.Linear(20, width)
        self.ends = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(n_blocks))

    def forward(self, x):
        x = self.stem(x)
        self.added = []
        for end in self.ends:
            self.added.append(nn.functional.glu(end(x)))
            x = x + self.added[-1]
        return x


def test_each_branch_of_gated_units_adds_its_share_to_the_stream():
    model = Gated()
    x = torch.randn(256, 20, generator=torch.Generator().manual_seed(0))

    fanin.init(model, x, seed=0)
    model(x)

    sizes = [float(part.detach().square().mean().sqrt()) for part in model.added]
    assert sizes == pytest.approx([1 / 2] * 4, rel=0.05)
