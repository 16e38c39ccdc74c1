"""SIREN's and LSUV's scales."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan
from fanin.prescription.recipes.drawn import bound_of
from fanin.prescription.recipes.sines import sine_frequency


class Sine(nn.Module):
    def __init__(self, frequency):
        super().__init__()
        self.frequency = frequency

    def forward(self, x):
        return torch.sin(self.frequency * x)


def siren(frequency=30.0, width=256, n_hidden=4):
    layers = [nn.Linear(2, width), Sine(frequency)]
    for _ in range(n_hidden):
        layers += [nn.Linear(width, width), Sine(frequency)]
    return nn.Sequential(*layers, nn.Linear(width, 1))


def sine_sketch(frequency):
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 2)), 24, path="0")
    for i in (1, 2):
        z = sketch.apply(z, lambda x: np.sin(frequency * x))
        z = sketch.dense(z, 24, path=f"{i}")
    return sketch.graph(z)


@pytest.mark.parametrize("frequency", [1.0, 10.0, 30.0])
def test_siren_reads_its_frequency_from_the_model(frequency):
    plan = make_plan(sine_sketch(frequency), policy="siren")

    bounds = [bound_of(plan[f"{i}.weight"].std) for i in range(3)]
    hidden = sqrt(6 / 24) / frequency
    assert bounds == pytest.approx([1 / 2, hidden, hidden])
    assert bound_of(plan["1.bias"].std) == pytest.approx(1 / sqrt(24))


def test_siren_keeps_a_unit_normal_in_front_of_every_sine():
    model = siren()
    x = torch.rand(512, 2) * 2 - 1
    fanin.init(model, x, policy="siren", seed=0)
    sizes, z = [], x
    with torch.no_grad():
        for layer in model[:-1]:
            z = layer(z)
            if isinstance(layer, nn.Linear):
                sizes.append(30.0 * float(z.pow(2).mean().sqrt()))

    # Var = 6/(3nω²)·n·½ = 1/ω² from the weights, and 30²/(3·256) from the biases
    wanted = sqrt(1.0 + 30.0**2 / (3 * 256))
    assert sizes[2:] == pytest.approx([wanted] * 3, rel=0.15)


def test_a_model_without_sines_gets_nothing_of_siren():
    sketch = Sketch()
    z = sketch.apply(sketch.dense(sketch.input((8, 2)), 24, path="0"), np.tanh)
    graph = sketch.graph(sketch.dense(z, 3, path="1"))

    plain, found = make_plan(graph), make_plan(graph, policy="siren")
    assert found.prescriptions == plain.prescriptions


@pytest.mark.parametrize(
    ("function", "frequency"),
    [
        (np.sin, 1.0),
        (lambda x: np.sin(30 * x), 30.0),
        (lambda x: np.sin(0.25 * x), 0.25),
        (np.cos, None),
        (np.tanh, None),
        (lambda x: np.sin(x) + 0.01 * x, None),
        (lambda x: -np.sin(x), None),
    ],
    ids=["sin", "thirty", "slow", "cos", "tanh", "sloped", "negative"],
)
def test_only_a_sine_has_a_frequency(function, frequency):
    assert sine_frequency(function) == frequency


def test_lsuv_is_orthonormal_before_it_is_calibrated():
    sketch = Sketch()
    z = sketch.apply(sketch.dense(sketch.input((8, 40)), 30, path="0"), np.tanh)
    plan = make_plan(sketch.graph(sketch.dense(z, 10, path="1")), policy="lsuv")
    w = plan.draws()["0.weight"](None)

    assert np.allclose(w @ w.T, np.eye(30), atol=1e-6)
    assert [plan[f"{i}.weight"].target for i in (0, 1)] == [1.0, 1.0]


def test_lsuv_gives_every_output_deviation_one_in_one_pass():
    sizes = [nn.Linear(20, 64), nn.GELU()]
    for _ in range(6):
        sizes += [nn.Linear(64, 64), nn.GELU()]
    model = nn.Sequential(*sizes, nn.Linear(64, 10))
    x = torch.randn(256, 20, generator=torch.Generator().manual_seed(0))
    fanin.init(model, x, policy="lsuv", seed=1)
    found, z = [], x
    with torch.no_grad():
        for layer in model:
            z = layer(z)
            if isinstance(layer, nn.Linear):
                found.append(float(z.pow(2).mean().sqrt()))

    assert found == pytest.approx([1.0] * 8, rel=1e-3)


def test_auto_draws_sines_with_a_frequency_as_siren_does():
    graph = sine_sketch(30.0)
    weights = [f"{i}.weight" for i in range(3)]
    auto, published = make_plan(graph), make_plan(graph, policy="siren")

    assert [auto[w].std for w in weights] == [published[w].std for w in weights]
    assert not auto.warnings


def test_auto_takes_a_plain_sine_for_an_activation():
    graph = sine_sketch(1.0)

    auto, published = (make_plan(graph, policy=name) for name in ("auto", "siren"))
    assert auto["1.weight"].std != published["1.weight"].std
