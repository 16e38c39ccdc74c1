"""What an activation says of itself: at any variance, any correlation, any function."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fanin.activations import ACTIVATIONS, Activation, find_activation
from fanin.errors import ArgumentError

VARIANCES = st.floats(1e-8, 1e4)
CORRELATIONS = st.floats(-1.0, 1.0)


def erf_square(q):
    """Williams (1997): E[erf(u)²] at variance q."""
    return 2 / math.pi * math.asin(2 * q / (1 + 2 * q))


def gelu_square(q):
    tail = q**2 / (math.pi * (1 + q) * math.sqrt(1 + 2 * q))
    return q * (0.25 + math.asin(q / (1 + q)) / (2 * math.pi)) + tail


def arc_cosine(c):
    """Cho & Saul (2009), degree 1: E[relu(u)·relu(v)] at variance 1."""
    return (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / (2 * math.pi)


CLOSED_FORMS = {
    "relu": lambda q: q / 2,
    "leaky_relu(0.2)": lambda q: 0.52 * q,
    "relu_squared": lambda q: 1.5 * q**2,
    "erf": erf_square,
    "gelu": gelu_square,
    "sin": lambda q: -math.expm1(-2 * q) / 2,
    "abs": lambda q: q,
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
@settings(deadline=None, max_examples=25)
@given(q=VARIANCES)
@example(q=1.0)
def test_the_second_moment_is_the_closed_form_at_any_variance(name, q):
    moments = find_activation(name).moments(q)
    exact = CLOSED_FORMS[name](q)

    assert moments.second_moment == pytest.approx(exact, rel=1e-11)
    assert abs(moments.second_moment - exact) <= moments.error


@settings(deadline=None, max_examples=25)
@given(q=VARIANCES)
def test_the_derivative_of_erf_has_the_closed_form_at_any_variance(q):
    exact = 4 / (math.pi * math.sqrt(1 + 4 * q))

    found = find_activation("erf").moments(q).derivative_second_moment
    assert found == pytest.approx(exact, rel=1e-11)


@pytest.mark.parametrize("name", ["tanh", "gelu", "softplus", "relu_squared", "step"])
@settings(deadline=None, max_examples=15)
@given(q=st.floats(0.05, 50.0))
def test_the_slope_of_the_second_moment_is_its_derivative(name, q):
    activation = find_activation(name)
    step = 1e-4 * q
    above = activation.moments(q + step).second_moment
    below = activation.moments(q - step).second_moment

    slope = activation.moments(q).second_moment_slope
    assert slope == pytest.approx((above - below) / (2 * step), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "mean", "derivative", "slope"),
    [
        ("relu", 0.0, 0.5, 0.5),
        ("leaky_relu(0.2)", 0.0, 0.52, 0.52),
        ("tanh", 0.0, 1.0, 1.0),
        ("sigmoid", 0.5, 1 / 16, 1 / 16),
        ("softplus", math.log(2), 0.25, 0.25 + math.log(2) / 4),
        ("step", 0.0, math.inf, math.inf),
    ],
)
def test_at_variance_zero_the_moments_are_the_limit(name, mean, derivative, slope):
    moments = find_activation(name).moments(0.0)

    assert moments.mean == pytest.approx(mean, abs=1e-15)
    assert moments.second_moment == pytest.approx(mean**2, abs=1e-15)
    assert moments.derivative_second_moment == pytest.approx(derivative, rel=1e-11)
    assert moments.second_moment_slope == pytest.approx(slope, rel=1e-9)


def test_a_kink_away_from_zero_value_bends_without_bound_at_variance_zero():
    lifted = find_activation(lambda x: 1.0 + np.abs(x))

    assert lifted.moments(0.0).second_moment_slope == math.inf


@pytest.mark.parametrize("kink", [0.3, math.pi / 7, -1 / 3, 1e-3, 2.7182818])
def test_a_kink_is_found_wherever_it_is(kink):
    activation = find_activation(lambda x: np.abs(x - kink))
    moments = activation.moments()

    assert moments.second_moment == pytest.approx(1 + kink**2, rel=1e-12)
    assert moments.derivative_second_moment == pytest.approx(1.0, rel=1e-11)
    assert abs(moments.derivative_second_moment - 1.0) <= moments.error < 1e-10


def test_clipping_anywhere_is_integrated_to_the_end():
    activation = find_activation(lambda x: np.clip(x, -0.7, 1.3))
    below, above = math.erfc(0.7 / math.sqrt(2)) / 2, math.erfc(1.3 / math.sqrt(2)) / 2

    found = activation.moments().derivative_second_moment
    assert found == pytest.approx(1 - below - above, rel=1e-11)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x > 0.3) * 1.0,
        np.sign,
        np.round,
        lambda x: np.where(x > -1.1, x, x - 1e-3),
    ],
    ids=["step at 0.3", "sign", "round", "a small jump"],
)
def test_a_jump_makes_the_derivative_infinite_and_is_said(function):
    moments = find_activation(function).moments()

    assert moments.derivative_second_moment == math.inf
    assert moments.error == math.inf
    assert moments.has_jump
    assert math.isfinite(moments.second_moment)


@pytest.mark.parametrize("place", [0.0, 0.3], ids=["at 0", "at 0.3"])
def test_a_slope_without_bound_is_not_given_a_number(place):
    root = find_activation(lambda x: np.sqrt(np.abs(x - place)))

    assert root.moments().derivative_second_moment == math.inf
    assert not root.moments().has_jump


def test_a_jump_beyond_reach_does_not_count():
    activation = find_activation(lambda x: np.where(x > 11.0, x + 1.0, x))

    assert activation.moments().derivative_second_moment == pytest.approx(1.0)


def test_an_integral_that_diverges_is_infinite():
    moments = find_activation(lambda x: np.exp(x**2)).moments()

    assert moments.second_moment == math.inf
    assert moments.error == math.inf


def test_an_exponential_converges_far_out():
    moments = find_activation("exp").moments(25.0)

    assert moments.second_moment == pytest.approx(math.exp(50.0), rel=1e-10)
    assert moments.derivative_second_moment == pytest.approx(math.exp(50.0), rel=1e-8)


def test_a_function_undefined_on_half_the_line_has_no_moments():
    moments = find_activation(np.log).moments()

    assert math.isnan(moments.second_moment)
    assert moments.error == math.inf


def test_a_constant_has_no_derivative_and_no_backward_gain():
    constant = find_activation(lambda x: 0.0 * x + 3.0)

    assert constant.moments().derivative_second_moment == pytest.approx(0.0, abs=1e-20)
    assert constant.moments().second_moment == pytest.approx(9.0)
    assert find_activation(lambda x: 0.0 * x).backward_gain == math.inf


@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "hardtanh", "silu"])
def test_a_replay_in_float32_is_known_to_five_digits(name):
    exact = find_activation(name)
    replay = find_activation(
        lambda x: exact(x.astype(np.float32)).astype(np.float32).astype(np.float64)
    )
    moments, wanted = replay.moments(), exact.moments()

    assert moments.second_moment == pytest.approx(wanted.second_moment, rel=1e-6)
    assert moments.derivative_second_moment == pytest.approx(
        wanted.derivative_second_moment, rel=1e-5
    )
    assert moments.error < 1e-3


CORRELATED = {
    "identity": lambda c: c,
    "relu": arc_cosine,
    "leaky_relu(0.2)": lambda c: 0.64 * arc_cosine(c) + 0.2 * c,
    "erf": lambda c: 2 / math.pi * math.asin(2 * c / 3),
    "sin": lambda c: math.exp(-1) * math.sinh(c),
    "square": lambda c: 1 + 2 * c**2,
}


@pytest.mark.parametrize("name", CORRELATED)
@settings(deadline=None, max_examples=20)
@given(c=CORRELATIONS)
@example(c=1.0)
@example(c=-1.0)
@example(c=0.0)
@example(c=1 - 1e-9)
@example(c=-1 + 1e-6)
def test_the_correlated_moment_is_the_closed_form(name, c):
    assert find_activation(name).correlation(c) == pytest.approx(
        CORRELATED[name](c), abs=1e-12
    )


@settings(deadline=None, max_examples=30)
@given(c=CORRELATIONS)
@example(c=1.0)
@example(c=1 - 1e-9)
def test_the_slopes_of_relu_correlate_as_the_arc_cosine_of_degree_zero(c):
    exact = (1 - math.acos(c) / math.pi) / 2

    found = find_activation("relu").derivative_correlation(c)
    assert found == pytest.approx(exact, abs=1e-12)


@settings(deadline=None, max_examples=10)
@given(c=CORRELATIONS, q=st.floats(0.01, 20.0), r=st.floats(0.01, 20.0))
def test_erf_correlates_in_closed_form_at_unequal_variances(c, q, r):
    covariance = c * math.sqrt(q * r)
    exact = math.asin(2 * covariance / math.sqrt((1 + 2 * q) * (1 + 2 * r)))

    found = find_activation("erf").correlation(c, q, r)
    assert found == pytest.approx(2 / math.pi * exact, abs=1e-11)


@pytest.mark.parametrize("name", ["tanh", "gelu", "hardtanh", "selu", "mish"])
@pytest.mark.parametrize("q", [0.1, 1.0, 9.0])
def test_at_correlation_one_it_is_the_second_moment(name, q):
    activation = find_activation(name)
    moments = activation.moments(q)

    assert activation.correlation(1.0, q) == pytest.approx(
        moments.second_moment, rel=1e-11
    )
    assert activation.correlation(0.0, q) == pytest.approx(moments.mean**2, abs=1e-12)
    assert activation.derivative_correlation(1.0, q) == pytest.approx(
        moments.derivative_second_moment, rel=1e-10
    )


HOMOGENEOUS = {"identity", "relu", "leaky_relu", "prelu", "abs"}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_only_two_rays_are_homogeneous(name):
    assert ACTIVATIONS[name].is_homogeneous == (name in HOMOGENEOUS)


def test_a_scaled_relu_is_homogeneous_too():
    assert find_activation(lambda x: 1.7 * np.maximum(x, 0.0)).is_homogeneous


def test_flat_is_where_a_saturated_function_has_no_slope():
    tanh = find_activation("tanh")
    edge = math.acosh(math.sqrt(20.0))  # 1 − tanh² = 5 %

    assert tanh.flat_share(np.array([0.0, edge - 1e-6])) == 0.0
    assert tanh.flat_share(np.array([edge + 1e-6, -40.0, 1e9, math.nan])) == 1.0
    assert find_activation("sigmoid").flat_share(np.array([0.0, 9.0])) == 0.5
    assert find_activation("relu").flat_share(np.array([])) == 0.0


@pytest.mark.parametrize("q", [-1.0, math.nan, math.inf])
def test_no_variance_is_refused(q):
    with pytest.raises(ArgumentError, match="a variance: finite and ≥ 0"):
        find_activation("relu").moments(q)


@pytest.mark.parametrize("c", [1.1, -1.1, math.nan])
def test_no_correlation_is_refused(c):
    with pytest.raises(ArgumentError, match="from −1 to 1"):
        find_activation("relu").correlation(c)


def test_a_correlation_at_variance_zero_is_refused():
    with pytest.raises(ArgumentError, match="finite and above 0"):
        find_activation("relu").correlation(0.5, 0.0)


def test_moments_are_found_once_for_one_activation_and_anew_for_another():
    calls = []

    def counted(x):
        calls.append(x.size)
        return np.tanh(x)

    activation = Activation(name="counted", function=counted)
    first = activation.moments()
    n_calls = len(calls)

    assert activation.moments() is first
    assert len(calls) == n_calls
    assert Activation(name="other", function=np.sin).moments() != first


def test_an_activation_takes_well_under_thirty_milliseconds():
    from time import process_time

    names = ["relu", "tanh", "gelu", "silu", "hardtanh", "mish", "elu"]
    start = process_time()
    for name in names:
        Activation(name=name, function=ACTIVATIONS[name].function).moments()

    assert (process_time() - start) / len(names) < 0.030
