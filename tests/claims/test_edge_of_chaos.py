"""The edge of chaos, its rates, gated units, finite width: derived a second time here.

Functions are written as SymPy expressions, differentiated by SymPy, and integrated by
Gauss-Hermite quadrature: nothing here shares code with fanin.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sympy as sp
from scipy import optimize

from fanin.activations import GATES, find_activation
from fanin.errors import ArgumentError
from fanin.theory import (
    MeanField,
    Stability,
    correlation_map,
    edge_at,
    edge_line,
    edge_of_chaos,
    edge_rate,
    fixed_points,
    gains,
    jacobian_spread,
    moment_spread,
    settles_at,
)

x = sp.Symbol("x", real=True)
SIGMOID = 1 / (1 + sp.exp(-x))
SMOOTH = {
    "tanh": sp.tanh(x),
    "erf": sp.erf(x),
    "sin": sp.sin(x),
    "gelu": x * (1 + sp.erf(x / sp.sqrt(2))) / 2,
    "silu": x * SIGMOID,
    "mish": x * sp.tanh(sp.log(1 + sp.exp(x))),
}
Z, WEIGHTS = np.polynomial.hermite_e.hermegauss(180)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@cache
def derivative(name, order):
    """Give φ⁽ᵒʳᵈᵉʳ⁾ as a NumPy function; erf through fanin's own table of values."""
    erf = np.vectorize(math.erf)
    return sp.lambdify(x, sp.diff(SMOOTH[name], x, order), [{"erf": erf}, "numpy"])


def expect(name, order, q, power=2):
    return float(WEIGHTS @ derivative(name, order)(math.sqrt(q) * Z) ** power)


# φ, σ_b, σ_w², q*, V′(q*)
EDGES = [
    ("tanh", 0.05, 1.26009382, 0.15369194, 0.782196),
    ("tanh", 0.2, 1.70079637, 0.51207850, 0.542564),
    ("tanh", math.sqrt(0.05), 1.76095464, 0.57004788, 0.518186),
    ("tanh", 0.3, 1.94765463, 0.76347477, 0.451640),
    ("tanh", math.sqrt(2.01e-5), 1.04999563, 0.02591860, None),
    ("erf", math.sqrt(0.05), 1.37583901, 0.51717684, 0.491557),
    ("gelu", 0.1, 2.98279937, 0.18348319, 1.097932),
    ("gelu", 0.2, 2.39323830, 0.57563712, 1.095041),
    ("gelu", 0.5, 1.95963102, 6.43410249, 0.985872),
    ("silu", 0.2, 2.82082640, 0.68945250, 1.098728),
]


@pytest.mark.parametrize(("name", "sigma_b", "weight_variance", "q", "slope"), EDGES)
def test_the_edge_of_chaos_at_a_bias(name, sigma_b, weight_variance, q, slope):
    found = edge_of_chaos(name, sigma_b)
    (point,) = [p for p in found if abs(p.q / q - 1) < 1e-3]

    # The three conditions, by the other quadrature.
    by_hand = 1 / expect(name, 1, point.q)
    kept = by_hand * expect(name, 0, point.q) + sigma_b**2
    step = 1e-4 * point.q
    quotient = expect(name, 0, point.q + step) - expect(name, 0, point.q - step)
    assert point.weight_variance == pytest.approx(by_hand, rel=1e-7)
    assert kept == pytest.approx(point.q, rel=1e-7)
    assert point.slope == pytest.approx(by_hand * quotient / (2 * step), rel=1e-5)
    # And the published eight digits.
    assert point.weight_variance == pytest.approx(weight_variance, abs=2e-8)
    assert point.q == pytest.approx(q, abs=2e-8)
    assert slope is None or point.slope == pytest.approx(slope, abs=2e-6)
    assert point.attracts is (point.slope < 1)


def test_the_edge_of_tanh_without_biases_is_glorot():
    (point,) = edge_of_chaos("tanh")

    assert (point.weight_variance, point.q) == (pytest.approx(1.0), 0.0)
    assert point.stability is Stability.MARGINAL


@pytest.mark.parametrize(
    ("name", "variance"),
    [("relu", 2.0), ("leaky_relu(0.2)", 2 / 1.04), ("identity", 1.0), ("abs", 1.0)],
)
def test_the_edge_of_a_homogeneous_function_is_one_point(name, variance):
    (point,) = edge_of_chaos(name)

    assert point.weight_variance == pytest.approx(variance, rel=1e-11)
    assert point.stability is Stability.EVERYWHERE
    assert edge_of_chaos(name, 0.1) == ()


def test_erf_without_biases_is_critical_at_the_inverse_of_its_slope():
    assert edge_of_chaos("erf")[0].sigma_w == pytest.approx(math.sqrt(math.pi) / 2)


@pytest.mark.parametrize("q", np.geomspace(1e-4, 1e4, 9))
def test_softplus_has_no_edge_for_the_reason_that_is_given(q):
    """E[φ′²] < ½ and E[φ²] > q/2: both inequalities, hence σ_b² < 0."""
    moments = find_activation("softplus").moments(float(q))

    assert moments.derivative_second_moment < 0.5
    assert moments.second_moment > q / 2
    with pytest.raises(ArgumentError, match="edge of chaos"):
        edge_at("softplus", float(q))


def test_softplus_has_no_edge_anywhere_and_sigmoid_only_far_out():
    assert edge_line("softplus") == ()
    assert edge_of_chaos("softplus", 0.5) == ()
    line = edge_line("sigmoid")
    assert min(point.weight_variance for point in line) > 103.0
    assert edge_of_chaos("sigmoid")[0].sigma_w == pytest.approx(10.15, abs=0.01)


@pytest.mark.parametrize(
    ("name", "sigma_b"),
    [("gelu", 0.41583938), ("silu", 0.74507930), ("mish", 0.30744396)],
)
def test_the_edge_of_a_gated_activation_attracts_above_one_bias_only(name, sigma_b):
    assert not edge_of_chaos(name, 0.97 * sigma_b)[0].attracts
    assert edge_of_chaos(name, 1.03 * sigma_b)[0].attracts


def test_from_below_a_repelling_edge_second_moments_land_in_the_ordered_phase():
    point = edge_of_chaos("silu", 0.2)[0]
    field = point.field("silu")

    low, high = fixed_points(field)
    assert (low.phase, high.phase) == ("ordered", "edge of chaos")
    assert settles_at(field, 0.9 * high.q) == pytest.approx(low.q)
    assert low.q == pytest.approx(0.194038, abs=1e-6)
    assert low.growth == pytest.approx(0.820278, abs=1e-6)
    assert settles_at(field, 1.1 * high.q) == math.inf


def test_chi_one_constants_seen_in_public_code_are_not_on_the_edge():
    """σ_w² = 2.952, σ_b² = 0.04 for swish has no fixed point at all."""
    field = MeanField(function="silu", weight_variance=2.952, bias_variance=0.04)

    assert fixed_points(field) == ()
    assert settles_at(field) == math.inf


@pytest.mark.parametrize(
    ("name", "sigma_b"), [("tanh", 0.05**0.5), ("erf", 0.05**0.5), ("gelu", 0.2)]
)
def test_a_smooth_function_forgets_a_difference_like_one_over_depth(name, sigma_b):
    point = edge_of_chaos(name, sigma_b)[-1]
    rate = edge_rate(point.field(name), point.q)

    curved = expect(name, 2, point.q)
    beta = 2 * expect(name, 1, point.q) / (point.q * curved)
    assert (rate.power, rate.coefficient) == (1, pytest.approx(beta, rel=1e-6))
    # δ ↦ 1 − C(1 − δ) loses δ²/β: one step far down, where the law holds.
    gap = 1e-5
    lost = gap - correlation_map(point.field(name), point.q).gap(gap)
    assert lost / gap**2 == pytest.approx(1 / beta, rel=1e-3)


@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.2)", "hardtanh", "abs"])
def test_a_kink_forgets_a_difference_like_one_over_depth_squared(name):
    point = edge_of_chaos(name, 0.2 if name == "hardtanh" else 0.0)[-1]
    field = point.field(name)
    rate = edge_rate(field, point.q)

    k = 2 / math.sqrt(rate.coefficient)
    gap = 1e-7
    lost = gap - correlation_map(field, point.q).gap(gap)
    assert rate.power == 2
    assert lost / gap**1.5 == pytest.approx(k, rel=1e-3)


def test_the_rate_of_relu_is_nine_pi_squared_over_two():
    relu = MeanField(function="relu", weight_variance=2.0)
    rate = edge_rate(relu, 1.0)

    def arc_cosine_gap(gap):
        """1 − C(1 − gap), from C = (√(1−c²) + (π − arccos c)·c)/π."""
        angle = 2 * math.asin(math.sqrt(gap / 2))
        return (angle * math.cos(angle) - math.sin(angle)) / math.pi + gap

    gap = 1.0
    for layer in range(1, 10_001):
        gap = arc_cosine_gap(gap)
        if layer == 1000:
            early = gap * 1000**2
    assert rate.coefficient == pytest.approx(4.5 * math.pi**2, rel=1e-9)
    assert early == pytest.approx(rate.coefficient, rel=0.05)
    assert gap * 10_000**2 == pytest.approx(rate.coefficient, rel=0.005)


def test_tanh_at_glorot_falls_like_one_over_twice_the_depth():
    """V(q) = q − 2q² + O(q³): E[tanh²] = q − 2q² by E[z²] = 1, E[z⁴] = 3."""
    q = sp.symbols("q", positive=True)
    series = sp.series(sp.tanh(x) ** 2, x, 0, 6).removeO()
    moments = {2: 1, 4: 3}
    expected = sum(
        series.coeff(x, k) * moments[k] * q ** sp.Rational(k, 2) for k in (2, 4)
    )
    along = MeanField(function="tanh", weight_variance=1.0).moments_by_layer(1.0, 300)

    assert sp.expand(expected) == q - 2 * q**2
    assert along[29] == pytest.approx(0.017159751667, abs=1e-11)
    assert 2 * 300 * along[-1] == pytest.approx(1.0, abs=0.03)
    assert 2 * 30 * along[29] > 2 * 300 * along[-1] > 1.0


@pytest.mark.parametrize(
    ("name", "gain", "q", "slope", "growth"),
    [
        ("tanh", 2**0.5, 0.61796477, 0.552516, 1.105529),
        ("erf", 1.0, 0.14192377, 0.792074, 1.016903),
        ("hardtanh", 1.39203614, 1.0, 0.385127, 1.322892),
        ("softsign", 2.33753336, 1.0, 0.476712, 1.244010),
        ("sin", 1.52086662, 1.0, 0.313035, 1.313035),
        ("selu", 1.0, 1.0, 0.782648, 1.071575),
        ("selu", 0.75, 0.02303378, 0.923541, 1.003670),
        ("elu", 1.24519830, 1.0, 0.890968, 1.035905),
        ("gelu", 1.53353044, 1.0, 1.144063, 1.072032),
        ("silu", 1.67653247, 1.0, 1.172594, 1.066634),
        ("mish", 1.48684758, 1.0, 1.076339, 1.059118),
        ("hardswish", 1.73665721, 1.0, 1.223920, 1.081323),
        ("relu_squared", 0.81649658, 1.0, 2.0, 4 / 3),
        ("sigmoid", 1.0, 0.26468688, 0.049506, 0.055721),
        ("sigmoid", 1.84622855, 1.0, 0.106341, 0.152827),
        ("sigmoid", 4.72264609, 8.53922879, 0.114515, 0.473582),
        ("softplus", 1.04186684, 1.0, 0.492053, 0.318459),
    ],
)
def test_the_fixed_point_of_a_gain_and_its_stability(name, gain, q, slope, growth):
    field = MeanField.of(name, sigma_w=gain)
    point = fixed_points(field)[-1]

    assert point.q == pytest.approx(q, rel=1e-7, abs=6e-9)
    assert point.slope == pytest.approx(slope, abs=2e-6)
    assert point.growth == pytest.approx(growth, abs=2e-6)
    assert point.attracts is (slope < 1)
    step = 1e-4 * q
    quotient = (field.next_moment(q + step) - field.next_moment(q - step)) / (2 * step)
    assert point.slope == pytest.approx(quotient, rel=1e-5)


@pytest.mark.parametrize(("name", "leads"), [("elu", math.inf), ("gelu", 0.0)])
def test_at_the_gain_of_he_some_have_no_fixed_point(name, leads):
    field = MeanField.of(name, sigma_w=2**0.5)

    assert [point.q for point in fixed_points(field)] == [0.0]
    assert settles_at(field) == leads


@pytest.mark.parametrize("apart", [1e-2, 1e-4])
def test_two_fixed_points_close_to_each_other_are_both_found(apart):
    """V touches the diagonal where V′ = 1; a smaller σ_b there opens a pair."""
    field = MeanField(function="silu", weight_variance=2.82)
    touch = optimize.brentq(lambda q: field.slope(q) - 1, 0.2, 0.69, xtol=1e-14)
    touching = touch - field.next_moment(touch)
    below, above = (
        fixed_points(replace(field, bias_variance=touching - way * apart**2))
        for way in (1, -1)
    )

    assert above == ()
    assert [point.attracts for point in below] == [True, False]
    assert below[0].q < touch < below[1].q
    assert below[1].q / below[0].q - 1 < 20 * apart


@pytest.mark.parametrize("c", [-1.0, -0.9, -0.5, -0.1, 0.3, 0.99])
def test_correlations_below_zero_have_the_map_too(c):
    """Cho & Saul (2009) for ReLU; an odd function without biases turns the sign."""
    relu = correlation_map(MeanField(function="relu", weight_variance=2.0), 1.0)
    tanh = correlation_map(MeanField(function="tanh", weight_variance=1.5), 0.7)

    kernel = (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / math.pi
    assert relu(c) == pytest.approx(kernel, abs=1e-12)
    assert tanh(c) == pytest.approx(-tanh(-c), abs=1e-13)


@pytest.mark.parametrize("name", ["swiglu", "geglu", "reglu", "bilinear", "glu"])
def test_a_gated_layer_has_the_map_of_its_two_branches(name):
    """Monte Carlo over draws of a layer: second moment, correlation, gradient."""
    rng = np.random.default_rng(31)
    n, draws = 400, 60
    field = MeanField(function=name, weight_variance=1.4, bias_variance=0.1)
    gate = GATES[name].activation
    moments, gradients, products = [], [], []
    for _ in range(draws):
        a, b = rng.normal(size=(2, n)) * math.sqrt(0.8)
        a2 = 0.6 * a + 0.8 * rng.normal(0, math.sqrt(0.8), n)
        b2 = 0.6 * b + 0.8 * rng.normal(0, math.sqrt(0.8), n)
        w = rng.normal(0, math.sqrt(1.4 / n), (2, n, n))
        bias = rng.normal(0, math.sqrt(0.1), n)
        z = w[0] @ (gate(a) * b) + bias
        z2 = w[0] @ (gate(a2) * b2) + bias
        moments.append(np.mean(z**2))
        products.append(np.mean(z * z2))
        # Both projections read the product; a gradient of ones in each comes back.
        back = w[0].T @ rng.normal(size=n) * math.sqrt(0.5)
        gradients.append(
            np.mean((back * gate.slope(a) * b) ** 2 + (back * gate(a)) ** 2)
        )

    def distance(sample, wanted):
        return abs(np.mean(sample) - wanted) / (np.std(sample) / math.sqrt(draws))

    assert distance(moments, field.next_moment(0.8)) < 5
    assert distance(products, 0.8 * correlation_map(field, 0.8)(0.6)) < 5
    assert distance(gradients, field.growth(0.8) / 2) < 5
    assert distance(moments, 1.1 * field.next_moment(0.8)) > 5


def test_a_stack_of_gated_layers_has_no_attracting_point_but_zero():
    for name in ("swiglu", "geglu", "reglu", "bilinear"):
        gain = gains(name).forward
        zero, one = fixed_points(MeanField.of(name, sigma_w=gain))

        assert (zero.q, zero.attracts) == (0.0, True)
        assert one.q == pytest.approx(1.0)
        assert one.slope > 1.9


def orthogonal(rng, n):
    q, r = np.linalg.qr(rng.normal(size=(n, n)))
    return q * np.sign(np.diag(r))


@pytest.mark.slow
def test_orthogonal_weights_have_the_same_map_and_less_spread():
    rng = np.random.default_rng(41)
    n, depth, draws = 100, 5, 40
    field = MeanField(function="tanh", weight_variance=1.7)
    (q,) = [p.q for p in fixed_points(field) if p.q > 0]

    def run(draw):
        start = rng.normal(size=n)
        z = start * math.sqrt(q / np.mean(start**2))
        jacobian = np.eye(n)
        for _ in range(depth):
            w = math.sqrt(1.7) * draw()
            jacobian = (w * (1 - np.tanh(z) ** 2)) @ jacobian
            z = w @ np.tanh(z)
        squares = np.linalg.svd(jacobian, compute_uv=False) ** 2
        return np.mean(z**2), np.mean(squares**2) / np.mean(squares) ** 2 - 1

    laws = {
        "orthogonal": lambda: orthogonal(rng, n),
        "gaussian": lambda: rng.normal(size=(n, n)) / math.sqrt(n),
    }
    spreads = {
        name: jacobian_spread(field, q, depth=depth, weights=name) for name in laws
    }
    for name, draw in laws.items():
        runs = np.array([run(draw) for _ in range(draws)])
        error = runs.std(axis=0) / math.sqrt(draws)
        spread = spreads[name]

        # Corrections of order depth/width are added to the sampling error.
        assert abs(runs[:, 0].mean() - q) < 5 * error[0] + q * depth / n
        off = abs(runs[:, 1].mean() - spread)
        assert off < 5 * error[1] + spread * depth / n
    assert spreads["gaussian"] == pytest.approx(spreads["orthogonal"] + depth)


def test_orthogonal_linear_nets_have_isometry():
    linear = MeanField(function="identity", weight_variance=1.0)

    assert jacobian_spread(linear, 1.0, depth=30, weights="orthogonal") == 0.0
    assert jacobian_spread(linear, 1.0, depth=30) == 30.0


@pytest.mark.parametrize("name", ["relu", "abs", "leaky_relu(0.2)", "identity"])
def test_one_narrow_layer_spreads_by_its_kurtosis(name):
    """E[q²]/E[q]² = 1 + (κ − 1)/n after one layer, by 400,000 draws."""
    rng = np.random.default_rng(51)
    activation = find_activation(name)
    field = MeanField(function=name, weight_variance=activation.forward_gain**2)
    z = rng.normal(size=(400_000, 20))
    q = field.weight_variance * np.mean(activation(z) ** 2, axis=1)

    spread = moment_spread(field, 1.0, width=20, depth=1)
    error = np.std(q**2) / math.sqrt(len(q))
    assert abs(np.mean(q**2) - math.exp(spread)) < 5 * error
    assert abs(np.mean(q**2) - 1.02 * math.exp(spread)) > 5 * error


def test_relu_spreads_by_five_over_n():
    relu = MeanField(function="relu", weight_variance=2.0)

    spread = moment_spread(relu, 1.0, width=40, depth=10)
    assert math.exp(spread) == pytest.approx((1 + 5 / 40) ** 10, rel=1e-9)
