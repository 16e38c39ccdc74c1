"""Mirrored units: which functions become linear, and which would stay twins."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from fanin.activations import ACTIVATIONS
from fanin.theory.mirroring import Centred, Mirrored, can_be_mirrored, odd_about

Z = np.linspace(-8.0, 8.0, 401)


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("relu", 1.0),
        ("leaky_relu", 1.01),
        ("gelu", 1.0),
        ("silu", 1.0),
        ("softplus", 1.0),
        ("hardswish", 1.0),
    ],
)
def test_a_pair_of_these_units_is_linear(name, slope):
    pair = Mirrored(ACTIVATIONS[name])(Z) * np.sqrt(2)

    assert pair == pytest.approx(slope * Z, abs=1e-9)


def test_gelu_silu_and_softplus_are_linear_in_pairs_by_algebra():
    z = sympy.Symbol("z", real=True)
    functions = (
        lambda x: x * (1 + sympy.erf(x / sympy.sqrt(2))) / 2,
        lambda x: x / (1 + sympy.exp(-x)),
    )
    for function in functions:
        assert sympy.simplify(function(z) - function(-z) - z) == 0
    softplus = sympy.log(1 + sympy.exp(z))
    pair = softplus - softplus.subs(z, -z)
    assert sympy.simplify(sympy.exp(pair) - sympy.exp(z)) == 0


@pytest.mark.parametrize("name", ["selu", "elu", "mish", "celu"])
def test_a_pair_of_any_other_units_is_odd(name):
    pair = Mirrored(ACTIVATIONS[name])

    assert pair(-Z) == pytest.approx(-pair(Z), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "centre"), [("tanh", 0.0), ("sin", 0.0), ("sigmoid", 0.5), ("erf", 0.0)]
)
def test_odd_functions_are_known_with_their_centre_and_never_mirrored(name, centre):
    assert odd_about(ACTIVATIONS[name]) == pytest.approx(centre, abs=1e-12)
    assert not can_be_mirrored(ACTIVATIONS[name])


@pytest.mark.parametrize("function", [np.cos, np.abs, lambda x: x**2])
def test_even_functions_are_not_mirrored_because_a_pair_would_be_silent(function):
    assert odd_about(function) is None
    assert not can_be_mirrored(function)


def test_a_function_in_float32_is_odd_too():
    assert odd_about(lambda x: np.tanh(np.asarray(x, np.float32))) == 0.0


def test_a_function_without_values_is_neither():
    assert odd_about(np.log) is None
    assert not can_be_mirrored(np.log)


def test_a_centred_function_is_shifted():
    assert Centred(np.exp, 1.0)(np.zeros(2)).tolist() == [0.0, 0.0]


def trained(function, slope, steps=200):
    """Train a mirrored net 3 → 4 → 4 → 1 in float64; give its second weight."""
    rng = np.random.default_rng(0)
    first, second, last = (rng.normal(size=s) for s in ((2, 3), (2, 2), (1, 2)))
    w = [
        np.concatenate([first, -first]),
        np.block([[second, -second], [-second, second]]),
        np.concatenate([last, -last], axis=1),
    ]
    b = [np.zeros(4), np.zeros(4), np.zeros(1)]
    x, y = rng.normal(size=(64, 3)), rng.normal(size=(64, 1))
    for _ in range(steps):
        z1 = x @ w[0].T + b[0]
        z2 = function(z1) @ w[1].T + b[1]
        error = (function(z2) @ w[2].T + b[2] - y) / 64
        d2 = error @ w[2] * slope(z2)
        d1 = d2 @ w[1] * slope(z1)
        steps_ = [(d1, x), (d2, function(z1)), (error, function(z2))]
        for i, (d, a) in enumerate(steps_):
            w[i] = w[i] - 0.05 * d.T @ a
            b[i] = b[i] - 0.05 * d.sum(axis=0)
    return w[1]


def is_mirrored(weight):
    return np.abs(weight[:2] + weight[2:]).max() < 1e-9


def test_mirrored_odd_units_stay_mirrored_for_ever_and_relu_units_do_not():
    tanh = trained(np.tanh, lambda z: 1 - np.tanh(z) ** 2)
    relu = trained(lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float))

    assert is_mirrored(tanh)
    assert not is_mirrored(relu)
