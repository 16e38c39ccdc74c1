"""Golden facts: numbers that every book on initialization leans on, derived here."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch
from torch import nn

from fanin.activations import find_activation
from fanin.theory import MeanField, correlation_map


def gaussian_mean(function):
    with mpmath.workdps(25):
        bell = mpmath.sqrt(2 * mpmath.pi)
        return float(
            mpmath.quad(
                lambda z: function(z) * mpmath.exp(-z * z / 2) / bell,
                [-14, -6, -2, 0, 2, 6, 14],
            )
        )


@pytest.mark.parametrize(
    ("name", "function", "value"),
    [
        ("gelu", lambda z: (z * mpmath.ncdf(z)) ** 2, 0.42522148257),
        ("tanh", lambda z: mpmath.tanh(z) ** 2, 0.39429449040),
        ("silu", lambda z: (z / (1 + mpmath.exp(-z))) ** 2, 0.35577551982),
    ],
)
def test_second_moments_to_eleven_digits(name, function, value):
    found = find_activation(name).moments().second_moment

    assert found == pytest.approx(gaussian_mean(function), abs=1e-12)
    assert found == pytest.approx(value, abs=1e-11)


def test_gelu_has_its_moments_in_closed_form():
    """By Stein's lemma twice, E[z²Φ²] = E[Φ²] + E[(zΦ²)′z] − …: ⅓ + 1/(2π√3)."""
    moments = find_activation("gelu").moments()

    forward = 1 / 3 + 1 / (2 * math.pi * math.sqrt(3))
    backward = 1 / 3 + 2 / (3 * math.pi * math.sqrt(3))
    assert moments.second_moment == pytest.approx(forward, abs=1e-13)
    assert moments.derivative_second_moment == pytest.approx(backward, abs=1e-12)


def test_two_inputs_through_ten_layers_of_relu():
    relu = correlation_map(MeanField(function="relu", weight_variance=2.0), 1.0)

    def arc_cosine(c):
        return (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / math.pi

    c = 0.0
    for _ in range(10):
        c = arc_cosine(c)
    assert arc_cosine(0.5) == pytest.approx(0.60899778, abs=1e-8)
    assert relu(0.5) == pytest.approx(arc_cosine(0.5), abs=1e-12)
    assert c == pytest.approx(0.87153552, abs=1e-8)
    assert relu.by_layer(0.0, 10)[-1] == pytest.approx(c, abs=1e-11)


def test_real_layers_of_relu_correlate_as_the_map_says():
    """60 draws of 3 layers of 500 units; a map that is 12 % off does not fit."""
    rng = np.random.default_rng(61)
    n, draws = 500, 60
    relu = correlation_map(MeanField(function="relu", weight_variance=2.0), 1.0)

    def run():
        apart, _ = np.linalg.qr(rng.normal(size=(n, 2)))  # exactly, not on average
        z = math.sqrt(n) * apart.T
        z[1] = 0.5 * z[0] + math.sqrt(0.75) * z[1]
        products = []
        for _ in range(3):
            w = rng.normal(0, math.sqrt(2 / n), (n, n))
            z = np.maximum(z, 0) @ w.T
            products.append(np.mean(z[0] * z[1]))
        return products

    sample = np.array([run() for _ in range(draws)])
    error = sample.std(axis=0) / math.sqrt(draws)
    along = np.array(relu.by_layer(0.5, 3))
    assert (np.abs(sample.mean(axis=0) - along) < 5 * error).all()
    assert abs(sample.mean(axis=0)[0] - 1.12 * along[0]) > 5 * error[0]


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.GELU])
def test_a_zero_net_never_moves_a_weight_in_a_thousand_steps(activation):
    """And its output bias goes to the mean target: full batch, MSE, SGD."""
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(20, 2, generator=generator)
    y = (torch.rand(20, 1, generator=generator) > 0.3).float()
    net = nn.Sequential(nn.Linear(2, 2), activation(), nn.Linear(2, 1))
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    for _ in range(1000):
        optimizer.zero_grad()
        nn.functional.mse_loss(net(x), y).backward()
        optimizer.step()

    *locked, bias = net.parameters()
    assert all(float(p.detach().abs().max()) == 0.0 for p in locked)
    assert float(bias.detach()) == pytest.approx(float(y.mean()), abs=1e-5)
