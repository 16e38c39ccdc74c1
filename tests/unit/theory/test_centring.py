"""The offset that keeps second moments and gradients: an identity, and its premise."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from fanin.activations import ACTIVATIONS
from fanin.errors import ArgumentError
from fanin.theory.centring import centre_of, forward_kept, largest_moment

SMOOTH = ("tanh", "sigmoid", "gelu", "silu", "softplus", "mish", "sin", "erf")


def moments(function, q):
    """Give E φ, E φ², E φ′² under N(0, q) by adaptive quadrature and differences."""

    def expect(f):
        def density(z):
            return f(sqrt(q) * z) * np.exp(-z * z / 2) / sqrt(2 * np.pi)

        points = np.array([-6, -3, -1, 0, 1, 3, 6]) / sqrt(q)
        edges = sorted({-10.0, 10.0, *points[np.abs(points) < 10]})
        return sum(quad(density, a, b, limit=200)[0] for a, b in pairwise(edges))

    def at(x):
        return float(np.asarray(function(np.array([x])))[0])

    h = 1e-5

    def slope_squared(x):
        return ((at(x + h) - at(x - h)) / (2 * h)) ** 2

    return expect(at), expect(lambda x: at(x) ** 2), expect(slope_squared)


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("q", [0.25, 2.0])
def test_a_centred_layer_keeps_the_second_moment_and_the_gradient(name, q):
    function = ACTIVATIONS[name]
    centre = centre_of(function, q)

    mean, square, slopes = moments(function, q)

    kept = square - 2 * centre.offset * mean + centre.offset**2
    assert centre.weight_variance * kept == pytest.approx(q, rel=1e-6)
    assert centre.weight_variance * slopes == pytest.approx(1.0, rel=1e-6)


@given(
    coefficients=st.lists(st.floats(-2.0, 2.0), min_size=2, max_size=5),
    q=st.floats(0.05, 4.0),
)
@settings(max_examples=60, deadline=None)
def test_the_variance_of_a_polynomial_is_at_most_q_times_its_mean_squared_slope(
    coefficients, q
):
    """Poincaré's inequality, in the Hermite basis: Σ k!·a² ≤ Σ k·k!·a²."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    weights = weights / weights.sum()
    polynomial = np.polynomial.Polynomial([0.0, *coefficients])
    x = sqrt(q) * nodes

    variance = weights @ polynomial(x) ** 2 - (weights @ polynomial(x)) ** 2
    slopes = weights @ polynomial.deriv()(x) ** 2

    assert variance <= q * slopes * (1 + 1e-9) + 1e-12


def test_the_inequality_is_a_theorem_term_by_term():
    """φ = Σ a_k He_k(z): Var = Σ k!·a_k², E[φ′²] = Σ k·k!·a_k², so k ≥ 1 suffices."""
    z = sympy.Symbol("z", real=True)
    density = sympy.exp(-(z**2) / 2) / sympy.sqrt(2 * sympy.pi)

    def hermite(k):
        probabilists = 2 ** sympy.Rational(-k, 2) * sympy.hermite(k, z / sympy.sqrt(2))
        return sympy.expand(sympy.simplify(probabilists))

    for k in range(1, 5):
        square = sympy.integrate(hermite(k) ** 2 * density, (z, -sympy.oo, sympy.oo))
        slope = sympy.diff(hermite(k), z) ** 2 * density
        slopes = sympy.integrate(slope, (z, -sympy.oo, sympy.oo))
        assert sympy.simplify(square - sympy.factorial(k)) == 0
        assert sympy.simplify(slopes - k * sympy.factorial(k)) == 0


def test_relu_needs_no_offset_and_gets_the_variance_of_he():
    for q in (0.1, 1.0, 7.0):
        centre = centre_of(ACTIVATIONS["relu"], q)

        assert abs(centre.offset) < 1e-6 * sqrt(q)
        assert centre.weight_variance == pytest.approx(2.0, rel=1e-12)


def test_the_offset_is_the_root_nearer_to_zero():
    centre = centre_of(ACTIVATIONS["sigmoid"], 1.0)
    mean, square, slopes = moments(ACTIVATIONS["sigmoid"], 1.0)

    other = 2 * mean - centre.offset
    assert abs(centre.offset) <= abs(other)
    assert (mean - centre.offset) ** 2 == pytest.approx(
        slopes - (square - mean**2), rel=1e-5
    )


@pytest.mark.parametrize("name", ["tanh", "sin", "selu", "gelu"])
def test_what_keeps_the_forward_size_of_a_centred_function_lets_gradients_grow(name):
    function = ACTIVATIONS[name]
    mean, _, _ = moments(function, 1.0)

    assert forward_kept(function, 1.0, mean).growth > 1.0


@given(n_layers=st.integers(2, 300), growth=st.floats(1.5, 20.0))
@settings(max_examples=20, deadline=None)
def test_the_largest_moment_stays_within_the_growth_and_uses_it_up(n_layers, growth):
    found = largest_moment(np.tanh, n_layers, growth=growth)

    total = found.growth**n_layers
    assert total <= growth * (1 + 1e-9)
    assert found.moment == 1.0 or total >= 0.98 * growth


def test_deeper_chains_get_smaller_moments():
    moments_found = [
        largest_moment(np.tanh, n, growth=4.0).moment for n in (5, 20, 80, 320)
    ]

    assert moments_found == sorted(moments_found, reverse=True)
    assert moments_found[-1] > 0.05


@pytest.mark.parametrize("moment", [0.0, -1.0, float("nan"), float("inf")])
def test_a_moment_that_is_none_is_refused(moment):
    with pytest.raises(ArgumentError, match="second moment above 0"):
        centre_of(np.tanh, moment)


def test_a_constant_has_no_centre():
    with pytest.raises(ArgumentError, match="slope"):
        centre_of(np.ones_like)


def test_a_function_whose_growth_no_moment_mends_keeps_moment_one():
    found = largest_moment(lambda x: x * np.abs(x), 20, growth=4.0)

    assert found.moment == 1.0
    assert found.growth == pytest.approx(4 / 3, rel=1e-9)
