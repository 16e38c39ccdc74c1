"""The table of Gaussian moments: each number against SymPy and mpmath, 20 digits.

Every function is written here a second time, as SymPy branches; SymPy differentiates,
and where it can integrates, and mpmath integrates the rest.
"""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from sympy import Rational

from fanin.activations import GATES, find_activation

x = sp.Symbol("x", real=True)
OO = sp.oo
SIGMOID = 1 / (1 + sp.exp(-x))
SOFTPLUS = sp.log(1 + sp.exp(x))
PHI = (1 + sp.erf(x / sp.sqrt(2))) / 2
ALPHA, SCALE = sp.symbols("alpha scale", positive=True)
WORD = sp.sqrt(2 / sp.pi) * (x + Rational(44715, 1000000) * x**3)

CLOSED = {
    "identity": [(-OO, OO, x)],
    "relu": [(0, OO, x)],
    "leaky_relu(0.01)": [(-OO, 0, x / 100), (0, OO, x)],
    "leaky_relu(0.2)": [(-OO, 0, x / 5), (0, OO, x)],
    "prelu(0.25)": [(-OO, 0, x / 4), (0, OO, x)],
    "abs": [(-OO, 0, -x), (0, OO, x)],
    "hardtanh": [(-OO, -1, sp.Integer(-1)), (-1, 1, x), (1, OO, sp.Integer(1))],
    "hard_sigmoid": [(-3, 3, (x + 3) / 6), (3, OO, sp.Integer(1))],
    "relu6": [(0, 6, x), (6, OO, sp.Integer(6))],
    "relu_squared": [(0, OO, x**2)],
    "square": [(-OO, OO, x**2)],
    "elu": [(-OO, 0, sp.exp(x) - 1), (0, OO, x)],
    "celu(2)": [(-OO, 0, 2 * (sp.exp(x / 2) - 1)), (0, OO, x)],
    "exp": [(-OO, OO, sp.exp(x))],
    "sin": [(-OO, OO, sp.sin(x))],
}
"""SymPy integrates these in closed form, in a second or less."""

NUMERIC = {
    "hardswish": [(-3, 3, x * (x + 3) / 6), (3, OO, x)],
    "softshrink(0.5)": [
        (-OO, -Rational(1, 2), x + Rational(1, 2)),
        (Rational(1, 2), OO, x - Rational(1, 2)),
    ],
    "gelu": [(-OO, OO, x * PHI)],
    "gelu_tanh": [(-OO, OO, x * (1 + sp.tanh(WORD)) / 2)],
    "quick_gelu": [(-OO, OO, x / (1 + sp.exp(-Rational(1702, 1000) * x)))],
    "silu": [(-OO, OO, x * SIGMOID)],
    "mish": [(-OO, OO, x * sp.tanh(SOFTPLUS))],
    "softplus": [(-OO, OO, SOFTPLUS)],
    "log_sigmoid": [(-OO, OO, -sp.log(1 + sp.exp(-x)))],
    "sigmoid": [(-OO, OO, SIGMOID)],
    "tanh": [(-OO, OO, sp.tanh(x))],
    "softsign": [(-OO, 0, x / (1 - x)), (0, OO, x / (1 + x))],
    "erf": [(-OO, OO, sp.erf(x))],
    "tanhshrink": [(-OO, OO, x - sp.tanh(x))],
}


def exactly(branches):
    """Integrate by SymPy: mean, second moment, second moment of the derivative."""
    density = sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)
    wanted = [lambda f: f, lambda f: f**2, lambda f: sp.diff(f, x) ** 2]
    return [
        sum(
            sp.integrate(sp.expand(want(branch)) * density, (x, low, high))
            for low, high, branch in branches
        )
        for want in wanted
    ]


def by_mpmath(branches):
    wanted = [lambda f: f, lambda f: f**2, lambda f: sp.diff(f, x) ** 2]
    return [
        sum(integral(want(branch), low, high) for low, high, branch in branches)
        for want in wanted
    ]


def integral(expression, low, high):
    with mpmath.workdps(20):
        run = sp.lambdify(x, expression, "mpmath")
        cuts = [mpmath.mpf(k) for k in (-15, -9, -5, -2, 0, 2, 5, 9, 15)]
        inside = [cut for cut in cuts if low < cut < high]
        ends = [mpmath.mpf(end) for end in (low, high) if abs(end) != OO]
        weight = 1 / mpmath.sqrt(2 * mpmath.pi)
        return weight * mpmath.quad(
            lambda z: run(z) * mpmath.exp(-(z**2) / 2), sorted(inside + ends)
        )


def assert_moments(name, expected):
    moments = find_activation(name).moments()
    found = (
        moments.mean,
        moments.second_moment,
        moments.derivative_second_moment,
    )
    for value, exact in zip(found, map(float, expected), strict=True):
        assert value == pytest.approx(exact, rel=1e-12, abs=1e-14)
        assert abs(value - exact) <= moments.error
    assert moments.error < 1e-10


@pytest.mark.parametrize("name", CLOSED)
def test_moments_agree_with_closed_forms_of_sympy(name):
    expected = [value.evalf(20) for value in exactly(CLOSED[name])]

    assert_moments(name, expected)


@pytest.mark.parametrize("name", NUMERIC)
def test_moments_agree_with_quadrature_in_twenty_digits(name):
    assert_moments(name, by_mpmath(NUMERIC[name]))


def test_the_constants_of_selu_solve_its_fixed_point():
    branches = [
        (-OO, 0, SCALE * ALPHA * (sp.exp(x) - 1)),
        (0, OO, SCALE * x),
    ]
    mean, second_moment, derivative = exactly(branches)
    alpha = sp.solve(sp.simplify(mean / SCALE), ALPHA)[0]
    scale = 1 / sp.sqrt((second_moment / SCALE**2).subs(ALPHA, alpha))
    exact = {ALPHA: alpha.evalf(25), SCALE: scale.evalf(25)}

    # Klambauer et al. (2017) print λ ≈ 1.0507 and α ≈ 1.6733.
    assert round(float(exact[SCALE]), 4) == 1.0507
    assert round(float(exact[ALPHA]), 4) == 1.6733
    assert_moments("selu", [0.0, 1.0, derivative.subs(exact).evalf(20)])


def test_the_rows_of_the_table_hold_to_eight_digits():
    rows = {
        "tanh": (0.0, 0.39429449, 0.46440290, 1.59253742, 1.46741359),
        "gelu": (0.28209479, 0.42522148, 0.45585087, 1.53353044, 1.48111441),
        "silu": (0.20662096, 0.35577552, 0.37948235, 1.67653247, 1.62332026),
        "selu": (0.0, 1.0, 1.07157499, 1.0, 0.96602578),
        "mish": (0.24040389, 0.45234219, 0.47908376, 1.48684758, 1.44475523),
        "sigmoid": (0.5, 0.29337904, 0.04483624, 1.84622855, 4.72264609),
    }
    for name, row in rows.items():
        activation = find_activation(name)
        moments = activation.moments()
        found = (
            moments.mean,
            moments.second_moment,
            moments.derivative_second_moment,
            activation.forward_gain,
            activation.backward_gain,
        )
        assert found == pytest.approx(row, abs=6e-9)


@pytest.mark.parametrize(
    ("gate", "activation"),
    [
        ("glu", "sigmoid"),
        ("reglu", "relu"),
        ("geglu", "gelu"),
        ("geglu_tanh", "gelu_tanh"),
        ("swiglu", "silu"),
        ("bilinear", "identity"),
    ],
)
def test_a_gated_unit_has_the_moments_of_the_product(gate, activation):
    branches = {**CLOSED, **NUMERIC}[activation]
    _, second_moment, derivative = by_mpmath(branches)

    moments = GATES[gate].moments()
    assert moments.second_moment == pytest.approx(float(second_moment), rel=1e-12)
    assert moments.derivative_second_moment == pytest.approx(
        float(second_moment + derivative), rel=1e-12
    )


N_DRAWS = 1_000_000


def distance_in_errors(activation, second_moment):
    """Give |sampled − second_moment| in standard errors of the sample."""
    draws = np.random.default_rng(11).standard_normal(N_DRAWS)
    squares = activation(draws) ** 2
    return abs(squares.mean() - second_moment) / (squares.std() / math.sqrt(N_DRAWS))


@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "hardswish", "softplus"])
def test_a_sample_has_the_second_moment_and_not_one_two_percent_off(name):
    activation = find_activation(name)
    second_moment = activation.moments().second_moment

    assert distance_in_errors(activation, second_moment) < 5.0
    assert distance_in_errors(activation, 1.02 * second_moment) > 5.0
