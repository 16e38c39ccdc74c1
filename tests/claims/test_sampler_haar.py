"""Orthogonal matrices are uniformly distributed (Haar), and what is not is found.

A statistic is a number of standard errors, or a p-value turned into one. Each must be
small for what the sampler draws, and large for some wrong way to draw.
"""

import math

import numpy as np
import pytest
from scipy import stats

from fanin.graph import layouts
from fanin.sampler import Law, draw

N = 4
MANY = 100_000
LARGEST = 5.0
R = np.linalg.qr(np.random.default_rng(0).standard_normal((N, N)))[0]
"""A turn that has nothing to do with the axes."""


def drawn(dtype, n_rows=N, n_columns=N, n_matrices=MANY):
    """Independent matrices in one draw: one for each group."""
    law = Law("orthogonal", roles=layouts.torch_conv(0, groups=n_matrices))
    weight = draw("haar", (n_matrices * n_rows, n_columns), law, seed=5, dtype=dtype)
    return weight.reshape(n_matrices, n_rows, n_columns).astype(np.float64)


@pytest.fixture(scope="module", params=["float32", "float64"])
def matrices(request):
    return drawn(request.param)


def deviation(values, expected):
    """Standard errors between a mean and what it should be."""
    return (values.mean() - expected) / (values.std() / math.sqrt(len(values)))


def coordinate_cdf(x, n):
    """Of one coordinate of a uniform point on the sphere in n dimensions.

    x² is Beta(½, (n−1)/2) and x is symmetric.
    """
    return 0.5 + 0.5 * np.sign(x) * stats.beta.cdf(x * x, 0.5, (n - 1) / 2)


def as_deviation(p_value):
    return stats.norm.isf(max(p_value, 1e-300) / 2)


def coordinate(values, n=N):
    return as_deviation(stats.kstest(values, lambda x: coordinate_cdf(x, n)).pvalue)


def traces(q, power):
    return np.trace(np.linalg.matrix_power(q, power), axis1=1, axis2=2)


def over_the_group(function):
    """Average a function of the eigenvalues over O(4), by Weyl's integration formula.

    Half of O(4) has eigenvalues e^{±iα}, e^{±iβ} with density (cos α − cos β)², half
    has 1, −1, e^{±iα} with density sin²α. Trigonometric polynomials: the sum over
    equally spaced angles is exact.
    """
    angles = np.arange(64) * 2 * math.pi / 64
    one, two = (a.ravel() for a in np.meshgrid(angles, angles))
    turns = np.exp(1j * np.stack([one, -one, two, -two], axis=1))
    weight = (np.cos(one) - np.cos(two)) ** 2
    still = np.ones_like(angles)
    flips = np.stack([still, -still, np.exp(1j * angles), np.exp(-1j * angles)], axis=1)
    flip_weight = np.sin(angles) ** 2
    means = (
        (function(turns) * weight).sum() / weight.sum(),
        (function(flips) * flip_weight).sum() / flip_weight.sum(),
    )
    return sum(means) / 2


def power_sum(eigenvalues, power):
    return (eigenvalues**power).sum(axis=1).real


def trace_squared(power):
    expected = over_the_group(lambda e: power_sum(e, power) ** 2)
    return lambda q: deviation(traces(q, power) ** 2, expected)


def trace_itself(power):
    expected = over_the_group(lambda e: power_sum(e, power))
    return lambda q: deviation(traces(q, power), expected)


def angles(q):
    """Angles of eigenvalues e^{±iα}, against Weyl's density with one angle left.

    A turn has two such pairs, of which one is picked, and a flip has one, which is
    picked every second time: so their densities come with the weights 1 and ½.
    """
    grid = np.linspace(0, math.pi, 2049)
    cos = np.cos(grid)
    turn = (cos**2 + 0.5) / math.pi  # ∫ (cos α − cos β)² dβ over (0, π), made to mass 1
    flip = 2 * np.sin(grid) ** 2 / math.pi
    density = (turn + 0.5 * flip) / 1.5
    cdf = np.concatenate(
        [[0], np.cumsum((density[1:] + density[:-1]) / 2) * (grid[1] - grid[0])]
    )
    found = np.angle(np.linalg.eigvals(q[:20_000]))
    upper = np.sort(np.abs(found), axis=1)
    is_turn = np.linalg.det(q[:20_000]) > 0
    choice = np.random.default_rng(7)
    pick = choice.integers(0, 2, len(upper))
    turned = np.where(pick == 0, upper[:, 0], upper[:, 2])[is_turn]
    flipped = upper[:, 1][~is_turn & (pick == 0)]
    values = np.concatenate([turned, flipped])
    test = stats.kstest(values, lambda x: np.interp(x, grid, cdf))
    return as_deviation(test.pvalue)


# By symmetry and orthonormality (Weingarten calculus): the squares of a row sum to 1,
# so E q⁴ + (n−1)·E q₁₁²q₁₂² = 1/n with E q⁴ = 3·E q₁₁²q₁₂²; two rows' squares have the
# product 1, and two rows the product 0.
SAME_ROW = 1 / (N * (N + 2))
TWO_ROWS = (1 - N * SAME_ROW) / (N * (N - 1))
SQUARE = -SAME_ROW / (N - 1)

STATISTICS = {
    "q₁₁ is a coordinate of a sphere": lambda q: coordinate(q[:, 0, 0]),
    "the last entry is one": lambda q: coordinate(q[:, -1, -1]),
    "an entry above the diagonal is one": lambda q: coordinate(q[:, 0, -1]),
    "after a turn from the left it is one": lambda q: coordinate((R @ q)[:, 0, 1]),
    "after a turn from the right it is one": lambda q: coordinate((q @ R)[:, 1, 0]),
    "E n·q²": lambda q: deviation(N * q[:, 2, 1] ** 2, 1.0),
    "E q⁴": lambda q: deviation(q[:, 0, 0] ** 4, 3 * SAME_ROW),
    "two of a row": lambda q: deviation((q[:, 0, 0] * q[:, 0, 1]) ** 2, SAME_ROW),
    "two of two rows": lambda q: deviation((q[:, 0, 0] * q[:, 1, 1]) ** 2, TWO_ROWS),
    "four corners": lambda q: deviation(
        q[:, 0, 0] * q[:, 0, 1] * q[:, 1, 0] * q[:, 1, 1], SQUARE
    ),
    "corners after turns": lambda q: deviation(
        np.prod((R.T @ q @ R)[:, [0, 0, 1, 1], [0, 1, 0, 1]], axis=1), SQUARE
    ),
    "det": lambda q: deviation(np.linalg.det(q), 0.0),
    "det and q₁₁": lambda q: deviation(np.linalg.det(q) * q[:, 0, 0], 0.0),
    **{f"E tr(Q{'⁰¹²³⁴'[k]})": trace_itself(k) for k in (1, 2, 3, 4)},
    **{f"E tr(Q{'⁰¹²³⁴'[k]})²": trace_squared(k) for k in (1, 2, 3, 4)},
    "E tr(RQ)²": lambda q: deviation(traces(R @ q, 1) ** 2, 1.0),
    "eigenangles": angles,
}


@pytest.mark.parametrize("name", STATISTICS)
def test_a_statistic_is_that_of_haar_measure(matrices, name):
    assert abs(STATISTICS[name](matrices)) < LARGEST


def test_weyls_formula_gives_the_known_traces():
    """Diaconis and Shahshahani (1994): E tr(Qᵏ)² is k, and k + 1 for even k ≤ n."""
    values = [over_the_group(lambda e, k=k: power_sum(e, k) ** 2) for k in (1, 2, 3, 4)]

    assert values == pytest.approx([1, 3, 3, 5], rel=1e-12)


def normals():
    return np.random.default_rng(1).standard_normal((MANY, N, N))


def with_signs(numbers):
    q, r = np.linalg.qr(numbers)
    return q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]


def rotations(q):
    """Turn the flips into turns by their last column."""
    q = q.copy()
    q[:, :, -1] *= np.linalg.det(q)[:, None]
    return q


def columns_of_unit_length():
    numbers = normals()
    return numbers / np.linalg.norm(numbers, axis=1, keepdims=True)


def one_reflection_too_few():
    """Householder's matrices of all columns but the first."""
    q = np.zeros((MANY, N, N))
    q[:, 0, 0] = 1
    q[:, 1:, 1:] = with_signs(normals()[:, 1:, 1:])
    return q


WRONG = {
    "signs left out": lambda: np.linalg.qr(normals())[0],
    "rotations alone": lambda: rotations(with_signs(normals())),
    "numbers that are not normal": lambda: with_signs(
        np.random.default_rng(2).uniform(-1, 1, (MANY, N, N))
    ),
    "columns that are not orthogonal": columns_of_unit_length,
    "one reflection too few": one_reflection_too_few,
    "two percent too long": lambda: 1.02 * with_signs(normals()),
    "numbers with a mean": lambda: with_signs(normals() + 0.1 * np.eye(N)),
}
FOUND_BY = {
    "q₁₁ is a coordinate of a sphere": "numbers with a mean",
    "the last entry is one": "signs left out",
    "an entry above the diagonal is one": "numbers that are not normal",
    "after a turn from the left it is one": "one reflection too few",
    "after a turn from the right it is one": "one reflection too few",
    "E q⁴": "numbers that are not normal",
    "two of a row": "numbers that are not normal",
    "two of two rows": "columns that are not orthogonal",
    "four corners": "columns that are not orthogonal",
    "det": "rotations alone",
    "det and q₁₁": "signs left out",
    "E tr(Q¹)": "numbers with a mean",
    "E tr(Q³)": "signs left out",
    "E tr(Q⁴)": "rotations alone",
    "E tr(Q²)²": "rotations alone",
    "E tr(Q³)²": "rotations alone",
    "E tr(Q⁴)²": "rotations alone",
    "eigenangles": "rotations alone",
}
"""All others find what is two percent too long."""


@pytest.fixture(scope="module")
def wrong():
    made = {}

    def make(name):
        if name not in made:
            made[name] = WRONG[name]()
        return made[name]

    return make


@pytest.mark.parametrize("name", STATISTICS)
def test_a_statistic_finds_a_wrong_way_to_draw(wrong, name):
    matrices = wrong(FOUND_BY.get(name, "two percent too long"))

    assert abs(STATISTICS[name](matrices)) > LARGEST


def test_every_wrong_way_is_found():
    assert set(WRONG) == {*FOUND_BY.values(), "two percent too long"}


@pytest.mark.parametrize(("n_rows", "n_columns"), [(7, 3), (3, 7)])
def test_a_rectangular_matrix_is_a_part_of_one_of_haar_measure(n_rows, n_columns):
    """Columns of a uniform one: entries are coordinates of a sphere in 7 dimensions,
    and a diagonal entry of the projector on 3 of 7 is Beta(3/2, 4/2)."""
    q = drawn("float32", n_rows, n_columns, 50_000)
    tall = q if n_rows > n_columns else np.swapaxes(q, 1, 2)
    lengths = (tall[:, 4] ** 2).sum(axis=1)

    assert abs(coordinate(tall[:, 0, 0], 7)) < LARGEST
    assert abs(coordinate(tall[:, 6, 2], 7)) < LARGEST
    assert as_deviation(stats.kstest(lengths, stats.beta(1.5, 2).cdf).pvalue) < LARGEST
    assert abs(deviation(tall[:, 0, 0] * tall[:, 1, 1], 0.0)) < LARGEST


def test_columns_of_independent_normal_numbers_are_found_in_a_rectangle():
    numbers = np.random.default_rng(3).standard_normal((50_000, 7, 3))
    loose = numbers / np.linalg.norm(numbers, axis=1, keepdims=True)
    lengths = (loose[:, 4] ** 2).sum(axis=1)

    assert as_deviation(stats.kstest(lengths, stats.beta(1.5, 2).cdf).pvalue) > LARGEST


def test_the_trace_of_a_matrix_of_several_blocks_is_a_normal_number():
    """Reflected in two blocks; the trace is normal far within 1 % (Johansson 1997)."""
    trace = np.trace(drawn("float32", 130, 130, 200), axis1=1, axis2=2)
    numbers = np.random.default_rng(4).standard_normal((50, 130, 130))
    wrong = np.trace(np.linalg.qr(numbers)[0], axis1=1, axis2=2)

    assert as_deviation(stats.kstest(trace, "norm").pvalue) < LARGEST
    assert as_deviation(stats.kstest(wrong, "norm").pvalue) > LARGEST
