"""Twelve points of mean field theory to eight digits, and closed forms."""

from __future__ import annotations

from math import erf, exp, inf, log, pi, sqrt, tanh

import numpy as np
import pytest

from fanin.errors import ArgumentError
from fanin.theory.correlations import correlation_map
from fanin.theory.edge import edge_at
from fanin.theory.fixed_points import (
    Stability,
    fixed_points,
    settles_at,
)
from fanin.theory.mean_field import MeanField

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
ndtr = np.vectorize(lambda x: (1 + erf(x / sqrt(2))) / 2)
errors = np.vectorize(erf)


def relu(x):
    return np.maximum(x, 0.0)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def selu(x):
    return SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0.0)))


def gelu(x):
    return x * ndtr(x)


def silu(x):
    return x * sigmoid(x)


def found(function, weight_variance, bias_variance):
    field = MeanField(
        function=function,
        weight_variance=weight_variance,
        bias_variance=bias_variance,
    )
    return fixed_points(field)[-1]


POINTS = [
    # φ, σ_w², σ_b², q*, χ₁, c*, ξ_q, ξ_c, ξ_∇
    (np.tanh, 1.69, 0.09, 0.60704679, 0.93980743, 1, 1.33766764, 16.10817274, 16.108172),  # noqa: E501
    (np.tanh, 6.25, 0.09, 4.07912388, 1.58522477, 0.12210375, 0.68834146, 5.10891899, -2.17048648),  # noqa: E501
    (np.tanh, 16.0, 0.09, 12.6041495, 2.36726104, 0.02969592, 0.49029475, 3.63935102, -1.16045144),  # noqa: E501
    (np.tanh, 1.76095464, 0.05, 0.57004788, 1, 1, 1.5210974, inf, inf),
    (np.tanh, 1.04999563, 2.01e-5, 0.0259186, 1, 1, None, inf, inf),
    (relu, 2.0, 0.0, 1.0, 1, 1, inf, inf, inf),
    (relu, 1.0, 0.1, 0.2, 0.5, 1, 1 / log(2), 1 / log(2), 1 / log(2)),
    (np.tanh, 3.0, 0.05, 1.42800846, 1.20893442, 0.29931764, 1.0414607, 9.05145573, -5.27038858),  # noqa: E501
    (np.tanh, 1.0, 0.05, 0.19359252, 0.75903165, 1, 1.74762624, 3.62697562, 3.62697562),
    (errors, 2.25, 0.0025, 1.0808743, 1.2416355, 0.02463729, 1.06986684, 10.15345546, -4.62044297),  # noqa: E501
    (sigmoid, 1.0, 0.0, 0.26468688, 0.05572071, 1, 0.33270448, 0.34633193, 0.34633193),
    (selu, 1.0, 0.0, 1.0, 1.07157499, 0, 4.08042707, 33.60434202, -14.46559985),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "weight_variance", "bias_variance", "q", "growth", "c", "xi_q", "xi_c", "xi_g"),  # noqa: E501
    POINTS,
)  # fmt: skip
def test_the_point_has_the_values_of_the_theory(  # noqa: PLR0913
    function, weight_variance, bias_variance, q, growth, c, xi_q, xi_c, xi_g
):
    point = found(function, weight_variance, bias_variance)

    assert point.q == pytest.approx(q, abs=2e-8 * max(1, q))
    assert point.growth == pytest.approx(growth, abs=1e-8)
    assert point.correlation == pytest.approx(c, abs=1e-8)
    assert xi_q is None or point.moment_scale == pytest.approx(xi_q, rel=2e-8)
    assert point.correlation_scale == pytest.approx(xi_c, rel=1e-8)
    assert point.gradient_scale == pytest.approx(xi_g, rel=1e-6)


def test_relu_with_a_bias_has_its_fixed_point_in_closed_form():
    point = found(relu, 1.2, 0.3)

    assert point.q == pytest.approx(0.3 / (1 - 0.6), rel=1e-12)
    assert point.growth == pytest.approx(0.6, rel=1e-12)


def test_the_correlation_map_of_relu_is_the_arc_cosine_kernel():
    c = np.linspace(0, 0.9, 10)
    expected = (np.sqrt(1 - c**2) + (pi - np.arccos(c)) * c) / pi

    kernel = correlation_map(MeanField(function=relu, weight_variance=2.0), 1.0)

    assert [kernel(x) for x in c] == pytest.approx(expected, abs=1e-10)


def test_the_correlation_map_of_erf_is_that_of_williams():
    """Williams (1997): E[erf(u₁)erf(u₂)] = 2/π·asin(2c·q/(1 + 2q))."""
    kernel = correlation_map(MeanField(function=errors, weight_variance=1.0), 1.0)

    expected = 2 / pi * np.arcsin(2 * 0.4 / 3)
    assert kernel(0.4) == pytest.approx(expected, abs=1e-12)


def test_the_slope_of_the_correlation_map_at_one_is_the_growth():
    field = MeanField(function=np.tanh, weight_variance=2.5)
    kernel = correlation_map(field, 0.7)

    expected = field.growth(0.7) / 1.0
    assert kernel.slope(1.0 - 1e-12) * 0.7 == pytest.approx(expected * 0.7, rel=1e-8)


def test_the_slope_of_the_moment_map_is_a_difference_quotient():
    field = MeanField(function=silu, weight_variance=2.0)
    step = 1e-5

    quotient = (field.next_moment(0.8 + step) - field.next_moment(0.8 - step)) / 2
    assert field.slope(0.8) == pytest.approx(quotient / step, rel=1e-8)


def test_glorot_keeps_tanh_on_the_edge_of_chaos():
    field = MeanField(function=np.tanh, weight_variance=1.0)
    (point,) = fixed_points(field)

    assert (point.q, point.phase) == (0.0, "edge of chaos")
    assert point.stability is Stability.MARGINAL
    assert field.moments_by_layer(1.0, 30)[-1] == pytest.approx(
        0.017159751667, abs=1e-10
    )


@pytest.mark.parametrize(
    ("gain", "q", "slope", "growth"),
    [
        (sqrt(2), 0.61796477, 0.552516, 1.105529),
        (1.59253742, 1.0, 0.461071, 1.177807),
        (5 / 3, 1.17848049, 0.430899, 1.209831),
    ],
)
def test_larger_gains_make_tanh_chaotic(gain, q, slope, growth):
    point = found(np.tanh, gain**2, 0.0)

    assert point.q == pytest.approx(q, abs=1e-7)
    assert point.slope == pytest.approx(slope, abs=1e-6)
    assert point.growth == pytest.approx(growth, abs=1e-6)
    assert (point.stability, point.phase) == (Stability.STABLE, "chaotic")


@pytest.mark.parametrize(
    ("function", "gain", "slope"),
    [(gelu, 1.53353044, 1.144063), (silu, 1.67653247, 1.172594)],
)
def test_the_exact_gain_of_gated_activations_is_a_repeller(function, gain, slope):
    point = found(function, gain**2, 0.0)

    assert point.q == pytest.approx(1.0, abs=1e-6)
    assert point.slope == pytest.approx(slope, abs=1e-6)
    assert point.stability is Stability.UNSTABLE


def test_a_repeller_is_not_where_iteration_leads():
    gain = 1.53353044

    field = MeanField(function=gelu, weight_variance=gain**2)

    assert settles_at(field, 0.98) == 0.0
    assert settles_at(field, 1.02) == inf


def test_selu_with_torch_gain_loses_its_point():
    assert settles_at(
        MeanField(function=selu, weight_variance=0.5625)
    ) == pytest.approx(0.02303378, abs=1e-7)


@pytest.mark.parametrize(
    ("function", "q", "weight_variance", "bias_variance"),
    [
        (np.tanh, 0.51207850, 1.70079637, 0.04),
        (errors, 0.51717684, 1.37583901, 0.05),
        (gelu, 0.57563712, 2.39323830, 0.04),
        (silu, 0.68945250, 2.82082640, 0.04),
        (np.sin, 1.0, 1 + tanh(1), 1 - tanh(1)),
    ],
)
def test_the_edge_of_chaos_runs_through_the_known_points(
    function, q, weight_variance, bias_variance
):
    edge = edge_at(function, q)

    assert edge.weight_variance == pytest.approx(weight_variance, abs=2e-8)
    assert edge.bias_variance == pytest.approx(bias_variance, abs=2e-8)


def test_softplus_has_no_edge_of_chaos():
    with pytest.raises(ArgumentError, match="edge of chaos"):
        edge_at(lambda x: np.logaddexp(0.0, x), 1.0)


def test_gelu_grows_without_bound_at_no_gain_below_its_own():
    """V(q)/q rises from σ_w²/4 at 0 to σ_w²/2 at infinity."""
    assert settles_at(MeanField(function=gelu, weight_variance=2.0)) == 0.0
    assert exp(-1) < MeanField(function=gelu, weight_variance=2.0).next_moment(1.0) < 1
