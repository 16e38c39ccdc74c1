"""Neighbouring elements, names, seeds and streams are independent of each other."""

import math

import numpy as np
import pytest
from scipy import stats

from fanin.sampler import Law, draw

NORMAL = Law("normal", std=1.0)
MANY = 10**6


def numbers(name="a", seed=0, stream=0):
    return draw(name, (MANY,), NORMAL, seed=seed, stream=stream).astype(np.float64)


@pytest.fixture(scope="module")
def first():
    return numbers()


OTHERS = {
    "next name": {"name": "b"},
    "longer name": {"name": "a0"},
    "next seed": {"seed": 1},
    "seed with one far bit": {"seed": 2**63},
    "next stream": {"stream": 1},
}
FUNCTIONS = {
    "values": lambda z: z,
    "squares": lambda z: (z * z - 1) / math.sqrt(2),
    "signs": np.sign,
}


def correlation(one, other):
    """The mean product, in units of its sampling error."""
    product = one * other
    return product.sum() / math.sqrt((product * product).sum())


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_address_is_independent(first, other, function):
    assert abs(correlation(function(first), function(numbers(**other)))) < 5


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("lag", [1, 2, 3, 4, 5, 8, 64, 1000, 1024, 4096])
def test_elements_at_a_distance_are_independent(first, lag, function):
    values = function(first)

    assert abs(correlation(values[:-lag], values[lag:])) < 5


@pytest.fixture(scope="module")
def words():
    """Both words of each float64 number, as two numbers from 0 to 1."""
    law = Law("uniform", bound=0.5)
    upper, lower = np.divmod(
        (draw("a", (MANY,), law, seed=0, dtype="float64") + 0.5) * 2.0**32, 1.0
    )
    return upper / 2.0**32, lower


def test_the_second_word_of_float64_is_uniform_and_independent_of_the_first(words):
    upper, lower = (word - 0.5 for word in words)

    assert stats.kstest(words[1], "uniform").pvalue > 1e-4
    assert abs(correlation(upper, lower)) < 5
    assert abs(correlation(upper[:-1], lower[1:])) < 5


def test_a_second_word_that_holds_two_percent_of_the_first_is_found(words):
    upper, lower = (word - 0.5 for word in words)

    assert abs(correlation(upper, lower + 0.02 * upper)) > 5


@pytest.mark.parametrize("kind", ["truncated_normal", "uniform"])
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_address_is_independent_whatever_the_law(kind, other):
    law = Law(kind, std=1.0)
    one = draw("a", (MANY,), law, seed=0)
    address = {"name": "a", "seed": 0, "stream": 0} | other
    another = draw(address.pop("name"), (MANY,), law, **address)

    assert abs(correlation(one.astype(np.float64), another)) < 5


def test_two_percent_of_another_array_is_found(first):
    mixed = 0.02 * first + math.sqrt(1 - 0.02**2) * numbers(name="b")

    assert abs(correlation(first, mixed)) > 5


def edge(name, scale=1.0, n_rows=1200, n_columns=600):
    """The largest eigenvalue of WᵀW in Tracy and Widom's units (Johnstone 2001)."""
    weight = scale * draw(name, (n_rows, n_columns), NORMAL, seed=0, dtype="float64")
    largest = np.linalg.norm(weight, ord=2) ** 2
    root, other = math.sqrt(n_rows - 1), math.sqrt(n_columns)
    centre = (root + other) ** 2
    width = (root + other) * (1 / root + 1 / other) ** (1 / 3)
    return (largest - centre) / width


# Tracy and Widom's law has mean −1.21 and std 1.27: five of these on both sides.
LOWEST, HIGHEST = -1.21 - 5 * 1.27, -1.21 + 5 * 1.27


@pytest.mark.parametrize("name", ["0.weight", "1.weight"])
def test_the_largest_singular_value_is_at_marchenko_and_pasturs_edge(name):
    assert LOWEST < edge(name) < HIGHEST


def test_the_edge_of_a_matrix_six_percent_too_wide_is_found():
    """Tracy and Widom's law is wide at this size: two percent take 10⁴ rows."""
    assert edge("0.weight", scale=1.06) > HIGHEST


def test_singular_values_have_marchenko_and_pasturs_second_moment():
    """E tr((WᵀW)²)/n = n_rows·n_columns·(n_rows + n_columns + 1)/n for Gaussians."""
    n_rows, n_columns, n_draws = 60, 30, 500
    law = Law("normal", std=1.0)
    stack = draw("stack", (n_draws, n_rows, n_columns), law, seed=0, dtype="float64")
    gram = np.swapaxes(stack, 1, 2) @ stack
    traces = (gram**2).sum(axis=(1, 2))
    error = traces.std() / math.sqrt(n_draws)
    expected = n_rows * n_columns * (n_rows + n_columns + 1)

    assert abs(traces.mean() - expected) < 5 * error
    assert abs(1.02**4 * traces.mean() - expected) > 5 * error


def distinct_rows(n_rows):
    weight = draw("embedding", (n_rows, 4), NORMAL, seed=0)
    rows = np.ascontiguousarray(weight).view([("", np.float32)] * 4).ravel()
    return len(np.unique(rows))


def test_a_hundred_thousand_rows_are_all_different():
    assert distinct_rows(10**5) == 10**5


@pytest.mark.slow
def test_a_million_rows_are_all_different():
    assert distinct_rows(10**6) == 10**6
