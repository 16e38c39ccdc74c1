"""Functions that are made to break quadrature: right within the bound, or it says so.

Every expected number is a closed form, or mpmath's, which knows where the kinks are.
"""

from __future__ import annotations

import math
import time

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanin.activations import ACTIVATIONS, find_activation
from fanin.errors import ArgumentError
from fanin.theory import MeanField

ROUNDING = 1e-13


def below(x):
    return (1 + math.erf(x / math.sqrt(2))) / 2


def density(x):
    return math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi) if abs(x) < 40 else 0.0


class Pieces:
    """slope·x + height between cuts, and its moments under N(0, 1) in closed form."""

    def __init__(self, cuts, slopes, heights):
        self.cuts, self.slopes, self.heights = map(np.asarray, (cuts, slopes, heights))

    def __call__(self, x):
        piece = np.searchsorted(self.cuts, x, side="right")
        return self.slopes[piece] * x + self.heights[piece]

    def moments(self):
        ends = [-50.0, *self.cuts, 50.0]
        mean = square = slope_square = 0.0
        for a, b, s, h in zip(
            ends[:-1], ends[1:], self.slopes, self.heights, strict=True
        ):
            share = below(b) - below(a)
            first = density(a) - density(b)
            second = share + a * density(a) - b * density(b)
            mean += s * first + h * share
            square += s * s * second + 2 * s * h * first + h * h * share
            slope_square += s * s * share
        return mean, square, slope_square


@st.composite
def continuous(draw):
    """1 to 20 kinks at random places, at least 0.003 apart."""
    cuts = draw(
        st.lists(st.integers(-1300, 1300), min_size=1, max_size=20, unique=True)
    )
    cuts = np.sort(np.asarray(cuts) * 0.003 + 0.00123)
    size = st.floats(-2, 2)
    slopes = draw(st.lists(size, min_size=len(cuts) + 1, max_size=len(cuts) + 1))
    heights = [draw(size)]
    for cut, before, after in zip(cuts, slopes, slopes[1:], strict=False):
        heights.append(heights[-1] + (before - after) * cut)
    return Pieces(cuts, slopes, heights)


@settings(deadline=None, max_examples=60)
@given(function=continuous())
def test_up_to_twenty_kinks_anywhere_cost_nothing(function):
    mean, square, slope_square = function.moments()

    found = find_activation(function).moments()
    assert abs(found.mean - mean) <= found.error + ROUNDING
    assert abs(found.second_moment - square) <= found.error + ROUNDING * (1 + square)
    assert found.second_moment == pytest.approx(square, rel=1e-10, abs=1e-12)
    off = abs(found.derivative_second_moment - slope_square)
    assert off <= found.error + ROUNDING * (1 + slope_square)
    assert not found.has_jump


@settings(deadline=None, max_examples=40)
@given(
    cuts=st.lists(st.integers(-300, 300), min_size=1, max_size=8, unique=True),
    data=st.data(),
)
def test_jumps_anywhere_leave_the_moments_of_values_exact(cuts, data):
    cuts = np.sort(np.asarray(cuts) * 0.01 + 0.00123)
    heights = np.asarray(
        data.draw(
            st.lists(st.integers(-3, 3), min_size=len(cuts) + 1, max_size=len(cuts) + 1)
        ),
        dtype=float,
    )
    function = Pieces(cuts, np.zeros(len(cuts) + 1), heights)
    mean, square, _ = function.moments()

    found = find_activation(function).moments()
    assert found.mean == pytest.approx(mean, abs=1e-10)
    assert found.second_moment == pytest.approx(square, abs=1e-10)
    is_constant = np.ptp(heights) == 0
    assert found.has_jump is not is_constant
    assert math.isinf(found.error) is not is_constant


def integral(function, cuts):
    with mpmath.workdps(20):
        ends = [-14, *cuts, 14]
        return float(
            mpmath.quad(lambda z: function(z) * mpmath.exp(-z * z / 2), ends)
            / mpmath.sqrt(2 * mpmath.pi)
        )


@pytest.mark.parametrize("width", [1.0, 0.1, 0.01, 0.003])
@pytest.mark.parametrize("place", [0.0, 0.3, 0.77, -2.9])
@pytest.mark.parametrize("height", [0.0, 1.0], ids=["alone", "on x"])
def test_a_narrow_bump_is_seen(width, place, height):
    """x·height + exp(−(x − m)²/2w²): products of Gaussians, in closed form."""

    def bump_mean(sharpness):
        variance = width**2 / sharpness
        total = 1 + variance
        return math.sqrt(variance / total) * math.exp(-(place**2) / 2 / total)

    cross = height * bump_mean(1) * place / (1 + width**2)
    square = height**2 + 2 * cross + bump_mean(2)

    found = find_activation(
        lambda x: height * x + np.exp(-(((x - place) / width) ** 2) / 2)
    ).moments()
    assert found.second_moment == pytest.approx(square, rel=1e-10)
    assert abs(found.second_moment - square) <= found.error


@pytest.mark.parametrize("frequency", [1, 3, 10, 30, 100])
def test_a_high_frequency_is_followed(frequency):
    a = frequency
    square = -math.expm1(-2 * a * a) / 2
    slope_square = a * a * (1 + math.exp(-2 * a * a)) / 2

    found = find_activation(lambda x: np.sin(a * x)).moments()
    assert found.second_moment == pytest.approx(square, rel=1e-10)
    assert abs(found.derivative_second_moment - slope_square) <= found.error
    assert found.error < 1e-6


def test_snake_has_its_moments():
    """x + sin²(5x)/5, Ziyin et al. (2020); its slope is 1 + sin(10x)."""
    found = find_activation(lambda x: x + np.sin(5 * x) ** 2 / 5).moments()

    square = 1 + (3 / 8 - math.exp(-50) / 2 + math.exp(-200) / 8) / 25
    assert found.second_moment == pytest.approx(square, rel=1e-11)
    slope_square = 1 + (1 - math.exp(-200)) / 2
    assert found.derivative_second_moment == pytest.approx(slope_square, rel=1e-10)


@pytest.mark.parametrize("q", [0.01, 1.0, 100.0])
def test_fast_growth_is_integrated_to_its_end(q):
    cube = find_activation(lambda x: x**3).moments(q)
    square = find_activation(lambda x: np.maximum(x, 0) ** 2).moments(q)

    assert cube.second_moment == pytest.approx(15 * q**3, rel=1e-11)
    assert cube.derivative_second_moment == pytest.approx(27 * q**2, rel=1e-10)
    assert square.second_moment == pytest.approx(1.5 * q**2, rel=1e-11)
    assert square.derivative_second_moment == pytest.approx(2 * q, rel=1e-10)


def test_a_kink_far_out_is_found():
    found = find_activation(lambda x: np.maximum(x - 5.5, 0.0)).moments()

    wanted = below(-5.5) * (1 + 5.5**2) - 5.5 * density(5.5)
    assert found.second_moment == pytest.approx(wanted, rel=1e-9)
    assert found.derivative_second_moment == pytest.approx(below(-5.5), rel=1e-9)


def test_a_cusp_of_power_three_halves_keeps_its_bound():
    found = find_activation(lambda x: np.abs(x - 0.2) ** 1.5).moments()
    wanted = integral(lambda z: 2.25 * abs(z - mpmath.mpf("0.2")), [0.2])

    assert abs(found.derivative_second_moment - wanted) <= found.error < 1e-8


@pytest.mark.parametrize("n_levels", [1, 8])
def test_a_quantized_function_has_jumps_and_exact_moments(n_levels):
    cuts = (np.arange(-9 * n_levels, 9 * n_levels) + 0.5) / n_levels
    heights = np.arange(-9 * n_levels, 9 * n_levels + 1) / n_levels
    mean, square, _ = Pieces(cuts, np.zeros(len(heights)), heights).moments()

    found = find_activation(lambda x: np.round(n_levels * x) / n_levels).moments()
    assert found.mean == pytest.approx(mean, abs=1e-10)
    assert found.second_moment == pytest.approx(square, abs=1e-10)
    assert found.has_jump


@pytest.mark.parametrize("slope", [0.25, 0.0173, -0.4, 1.7, 0.0])
def test_a_learned_slope_is_taken_as_it_is(slope):
    learned = np.array([slope])
    found = find_activation(lambda x: np.where(x > 0, x, learned[0] * x)).moments()

    assert found.second_moment == pytest.approx((1 + slope**2) / 2, rel=1e-12)
    assert found.derivative_second_moment == pytest.approx((1 + slope**2) / 2, rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("name", ["tanh", "gelu", "relu"])
def test_rounding_noise_widens_the_bound(name, dtype):
    exact = find_activation(name)
    noisy = find_activation(lambda x: exact(x.astype(dtype)).astype(dtype))

    found, wanted = noisy.moments(), exact.moments()
    assert abs(found.second_moment - wanted.second_moment) <= found.error
    assert found.error > wanted.error
    assert found.second_moment == pytest.approx(wanted.second_moment, rel=2e-3)


@pytest.mark.parametrize("function", [np.log, np.sqrt, lambda x: np.log(x + 5)])
def test_a_function_that_is_no_number_somewhere_is_refused(function):
    with np.errstate(all="ignore"):
        found = find_activation(function).moments()

        assert math.isnan(found.second_moment)
        assert found.error == math.inf
        with pytest.raises(ArgumentError, match="finite value"):
            MeanField(function=function, weight_variance=1.0)


def test_a_random_function_is_refused_and_its_bound_is_infinite():
    rng = np.random.default_rng(5)

    def dropout(x):
        return x * (rng.random(x.shape) > 0.3) / 0.7

    assert find_activation(dropout).moments().error == math.inf
    with pytest.raises(ArgumentError, match="the same values"):
        MeanField(function=dropout, weight_variance=1.0)


@pytest.mark.parametrize("scale", [1e-150, 1e-30, 1e30, 1e140])
def test_the_unit_of_the_values_does_not_matter(scale):
    found = find_activation(lambda x: scale * np.tanh(x)).moments()
    wanted = find_activation("tanh").moments()

    assert found.second_moment / scale**2 == pytest.approx(wanted.second_moment)
    assert found.derivative_second_moment / scale**2 == pytest.approx(
        wanted.derivative_second_moment
    )


@pytest.mark.parametrize("gap", [1e-12, 1e-6, 0.1, 1.0, 1.5, 2.0])
def test_a_distance_between_two_inputs_does_not_cancel(gap):
    """Cho & Saul (2009), degree 1, in 40 digits."""
    with mpmath.workdps(40):
        c = 1 - mpmath.mpf(gap)
        kernel = mpmath.sqrt(1 - c * c) + (mpmath.pi - mpmath.acos(c)) * c
        wanted = float(mpmath.mpf("0.5") - kernel / (2 * mpmath.pi))

    found = find_activation("relu").decorrelation(gap)
    assert found == pytest.approx(wanted, rel=1e-9)


def test_an_ordinary_activation_takes_less_than_ten_milliseconds():
    names = ["relu", "tanh", "gelu", "silu", "hardtanh", "softplus", "elu"]

    def milliseconds(name):
        best = math.inf
        for _ in range(5):
            fresh = find_activation(ACTIVATIONS[name].function)
            start = time.process_time()
            fresh.moments()
            best = min(best, time.process_time() - start)
        return 1e3 * best

    assert max(map(milliseconds, names)) < 10.0
