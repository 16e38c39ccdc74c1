"""Glorot, He and LeCun: the derived numbers against quadrature and the schemes."""

import math

import pytest
import sympy

from fanin.activations import find_activation
from fanin.derivation import explain
from fanin.derivation.scales.gaussian import MOMENTS, half_mean, numeric_square
from fanin.derivation.scales.laws import truncated_std
from fanin.derivation.scales.symbols import SLOPE, Q, Z
from fanin.errors import ArgumentError, UnknownNameError


def claims(name, **options):
    return {c.statement: c for c in explain(name, **options).claims}


@pytest.mark.parametrize("power", [0, 2, 4, 6])
def test_half_of_each_even_gaussian_moment_is_integrated(power):
    expected = sympy.factorial2(power - 1) * Q ** (power // 2) / 2

    assert sympy.simplify(half_mean(Z**power, is_upper=True) - expected) == 0


@pytest.mark.parametrize(
    ("name", "slope"), [("relu", 0.0), ("leaky_relu", 0.01), ("identity", 1.0)]
)
def test_the_integrated_moments_are_those_of_quadrature(name, slope):
    derived = MOMENTS[name]()
    moments = find_activation(name).moments()

    assert float(derived.forward.subs(SLOPE, slope)) == pytest.approx(
        moments.second_moment, abs=1e-9
    )
    assert float(derived.backward.subs(SLOPE, slope)) == pytest.approx(
        moments.derivative_second_moment, abs=1e-9
    )


@pytest.mark.parametrize("name", ["tanh", "sin"])
def test_the_limits_for_small_signals_are_those_of_quadrature(name):
    derived = MOMENTS[name]()
    share = numeric_square(name, 1e-6) / 1e-6

    assert float(derived.forward) == pytest.approx(share, abs=3e-6)


@pytest.mark.parametrize("q", [0.3, 1.0, 4.0])
def test_the_quadrature_of_tanh_is_that_of_the_activation(q):
    expected = find_activation("tanh").moments(q).second_moment

    assert numeric_square("tanh", q) == pytest.approx(expected, abs=1e-8)


def test_he_with_tanh_settles_where_the_recursion_does():
    q = 1.0
    for _ in range(80):
        q = 2 * find_activation("tanh").moments(q).second_moment
    claim = claims("he")["He's variance keeps the second moment with tanh."]

    assert not claim.holds
    assert f"{q:.6g}" in claim.proof.steps[1].text


def test_the_cut_normal_keeps_0_8796_of_its_std():
    density = math.exp(-2.0) / math.sqrt(2 * math.pi)
    mass = math.erf(math.sqrt(2.0))

    assert float(truncated_std()) == pytest.approx(
        math.sqrt(1 - 4 * density / mass), rel=1e-14
    )


@pytest.mark.parametrize(
    ("name", "activation"),
    [("he", "relu"), ("he", "leaky_relu"), ("glorot", "tanh"), ("lecun", "identity")],
)
def test_the_scheme_draws_with_the_derived_variance(name, activation):
    statement = f"fanin's scheme {name}_normal draws with this variance."

    assert claims(name, activation=activation)[statement].holds


@pytest.mark.parametrize("name", ["glorot", "he", "lecun"])
def test_a_monte_carlo_layer_keeps_what_the_derivation_says(name):
    import numpy as np

    n_in, n_out, n_draws = 64, 48, 400_000
    rng = np.random.default_rng(7)
    variance = {"glorot": 2 / (n_in + n_out), "he": 2 / n_in, "lecun": 1 / n_in}[name]
    factor = {"glorot": 2 * n_in / (n_in + n_out), "he": 1.0, "lecun": 1.0}[name]
    before = rng.standard_normal((n_draws, n_in))
    a = np.maximum(before, 0) if name == "he" else before
    z = (a * rng.standard_normal((n_draws, n_in))).sum(axis=1) * variance**0.5
    ratio = (z**2).mean() / factor
    # Given a, z is Gaussian: Var[z²]/E[z²]² = 2 + 3·k/n_in, k = E[a⁴]/E[a²]² − 1 ≤ 5.
    spread = 5 * math.sqrt((2 + 15 / n_in) / n_draws)

    assert ratio == pytest.approx(1, abs=spread)
    assert ratio != pytest.approx(1.02, abs=spread)


def test_glorot_with_relu_leaves_two_to_the_minus_l():
    claim = claims("glorot")["Glorot's variance keeps the second moment with ReLU."]

    assert not claim.holds
    assert f"{2.0**-10:.6g}" in claim.proof.steps[2].text


def test_both_conditions_hold_only_for_square_layers():
    statement = (
        "One variance keeps the second moment forward and backward, for any fans."
    )
    claim = claims("glorot")[statement]

    assert not claim.holds
    assert claim.proof.values == {"fan_in": 100.0, "fan_out": 400.0}


@pytest.mark.parametrize("word", ["xavier", "kaiming", "He_Uniform", "E4"])
def test_a_scheme_is_found_under_its_other_names(word):
    assert explain(word).claims


def test_a_scheme_needs_no_net():
    with pytest.raises(ArgumentError, match="layers of any width"):
        explain("he", net="2-2-1")


def test_a_scheme_refuses_an_activation_that_it_cannot_integrate():
    with pytest.raises(UnknownNameError, match="relu, sin, tanh"):
        explain("he", activation="gelu")
