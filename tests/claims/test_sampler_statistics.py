"""Numbers drawn follow their law; a law that is off by two percent would be found."""

import math

import numpy as np
import pytest
from scipy import special, stats

from fanin.sampler import Law, draw
from fanin.sampler.truncation import cut_at

MANY = 10**6
CUT = 2.0
LEFT = float(cut_at(CUT).std_ratio)

LAWS = {
    "normal": Law("normal", std=1.0),
    "truncated": Law("truncated_normal", std=1.0, cut=CUT),
    "uniform": Law("uniform", std=1.0),
}
FREEDOM = 1023


def normal_cdf(x):
    return special.ndtr(x)


def truncated_cdf(x):
    edge = special.ndtr(-CUT)
    return np.clip((special.ndtr(x * LEFT) - edge) / (1 - 2 * edge), 0, 1)


def uniform_cdf(x):
    return np.clip(0.5 + x / (2 * math.sqrt(3)), 0, 1)


CDFS = {"normal": normal_cdf, "truncated": truncated_cdf, "uniform": uniform_cdf}


@pytest.fixture(params=LAWS, scope="module")
def name(request):
    return request.param


def drawn(name, dtype):
    weight = draw("statistics", (MANY,), LAWS[name], seed=31, dtype=dtype)
    return weight.astype(np.float64)


@pytest.fixture(params=["float32", "float64", "float16", "bfloat16"], scope="module")
def numbers(request, name):
    return drawn(name, request.param)


@pytest.fixture(params=["float32", "float64"], scope="module")
def fine_numbers(request, name):
    """Of halves, whole bins hold three values and others four: they are left out."""
    return drawn(name, request.param)


def distance(numbers, cdf):
    """Kolmogorov and Smirnov's statistic times √n."""
    levels = cdf(np.sort(numbers))
    steps = np.arange(len(levels) + 1) / len(levels)
    d = max((steps[1:] - levels).max(), (levels - steps[:-1]).max())
    return d * math.sqrt(len(levels))


def chi_square(numbers, cdf):
    """Over 1024 bins of equal probability."""
    counts = np.bincount(
        np.minimum((cdf(numbers) * 1024).astype(int), FREEDOM), minlength=1024
    )
    expected = len(numbers) / 1024
    return float(((counts - expected) ** 2 / expected).sum())


# One chance in 10⁴ to fail a right law, were the seed not fixed.
FARTHEST = stats.kstwobign.isf(1e-4)
LARGEST = stats.chi2.isf(1e-4, FREEDOM)


def test_the_distribution_function_is_met(name, numbers):
    assert distance(numbers, CDFS[name]) < FARTHEST


def test_a_distribution_two_percent_too_wide_is_found(name, numbers):
    assert distance(1.02 * numbers, CDFS[name]) > FARTHEST


def test_bins_of_equal_probability_are_filled_alike(name, fine_numbers):
    assert chi_square(fine_numbers, CDFS[name]) < LARGEST


def test_bins_of_a_law_two_percent_too_wide_are_not(name, fine_numbers):
    assert chi_square(1.02 * fine_numbers, CDFS[name]) > LARGEST


def exact_moment(name, power):
    """E[xᵖ] by the quantile function, a midpoint sum of 2²⁰ levels."""
    if power % 2:
        return 0.0
    if name == "normal":
        return {2: 1.0, 4: 3.0}[power]
    if name == "uniform":
        return math.sqrt(3) ** power / (power + 1)
    z = np.linspace(-CUT, CUT, 2**20 + 1)
    weight = np.exp(-z * z / 2)
    return float(np.sum((z / LEFT) ** power * weight) / np.sum(weight))


@pytest.mark.parametrize("power", [1, 2, 3, 4])
def test_a_moment_is_met(name, numbers, power):
    powers = numbers**power
    error = powers.std() / math.sqrt(MANY)

    assert abs(powers.mean() - exact_moment(name, power)) < 5 * error


@pytest.mark.parametrize("power", [2, 4])
def test_a_moment_of_a_law_two_percent_too_wide_is_not(name, numbers, power):
    powers = (1.02 * numbers) ** power
    error = powers.std() / math.sqrt(MANY)

    assert abs(powers.mean() - exact_moment(name, power)) > 5 * error


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ten_million_numbers_meet_the_distribution_function(name, seed):
    numbers = draw("slow", (10**7,), LAWS[name], seed=seed).astype(np.float64)

    assert distance(numbers, CDFS[name]) < FARTHEST
    assert chi_square(numbers, CDFS[name]) < LARGEST


@pytest.mark.slow
def test_p_values_over_many_keys_are_uniform(name):
    cdf = CDFS[name]
    values = [
        stats.kstwobign.sf(distance(draw(f"key{k}", (10**5,), LAWS[name], seed=0), cdf))
        for k in range(200)
    ]

    assert stats.kstest(values, "uniform").pvalue > 1e-4
