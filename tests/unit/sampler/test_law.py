import math

import pytest

from fanin.errors import ArgumentError, UnknownNameError
from fanin.sampler import Law


def test_an_unknown_law_names_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'uniform'"):
        Law("unifrom", std=1.0)


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("normal", {}),
        ("normal", {"bound": 1.0}),
        ("normal", {"std": 1.0, "gain": 2.0}),
        ("truncated_normal", {"value": 1.0}),
        ("uniform", {"std": 1.0, "bound": 1.0}),
        ("uniform", {}),
        ("constant", {}),
        ("constant", {"std": 1.0}),
        ("orthogonal", {"std": 1.0}),
    ],
)
def test_a_law_takes_its_own_number_once(kind, numbers):
    with pytest.raises(ArgumentError, match=f"{kind!r} must be a law given"):
        Law(kind, **numbers)


@pytest.mark.parametrize("size", [-1.0, 9e-30, 1.1e37, math.inf, math.nan])
@pytest.mark.parametrize("number", ["std", "bound"])
def test_a_size_out_of_range_is_refused(number, size):
    with pytest.raises(ArgumentError, match=f"{number!r} must be 0, or from 1e-29"):
        Law("uniform", **{number: size})


@pytest.mark.parametrize(
    ("kind", "number"), [("constant", "value"), ("orthogonal", "gain")]
)
def test_a_number_that_is_not_finite_is_refused(kind, number):
    with pytest.raises(ArgumentError, match=f"{number!r} must be a finite number"):
        Law(kind, **{number: math.nan})


def test_a_cut_too_near_is_refused():
    with pytest.raises(ArgumentError, match=r"'cut' must be 0.1 or more"):
        Law("truncated_normal", std=1.0, cut=0.05)


def test_a_uniform_law_knows_its_width_from_either_number():
    assert Law("uniform", bound=0.3).half_width == 0.3
    assert Law("uniform", std=0.3).half_width == 0.3 * math.sqrt(3)


def test_a_matrix_has_gain_one_where_none_is_given():
    assert Law("orthogonal").factor == 1.0
    assert Law("identity", gain=0.5).factor == 0.5
