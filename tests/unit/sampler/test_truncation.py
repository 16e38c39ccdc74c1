from functools import cache

import mpmath as mp
import pytest

from fanin.errors import ArgumentError
from fanin.sampler.truncation import PI, cut_at


@pytest.fixture(autouse=True)
def _seventy_digits():
    with mp.workdps(70):
        yield


CUTS = [0.1, 0.3, 1.0, 2.0, 3.0, 4.75, 7.9, 8.0, 9.99]


def tail(cut):
    return mp.erfc(mp.mpf(cut) / mp.sqrt(2)) / 2


@cache
def variance(cut):
    """∫ z²φ / ∫ φ over ±cut, by quadrature: no formula of the sampler's."""
    points = mp.linspace(-cut, cut, 9)
    return mp.quad(lambda z: z * z * mp.npdf(z), points) / mp.quad(mp.npdf, points)


def test_pi_is_pi():
    assert abs(mp.mpf(str(PI)) - mp.pi) < mp.mpf(10) ** -68


@pytest.mark.parametrize("cut", CUTS)
def test_the_std_left_is_the_integrated_one(cut):
    left = mp.mpf(str(cut_at(cut).std_ratio))

    assert abs(left**2 - variance(cut)) < mp.mpf(10) ** -40


@pytest.mark.parametrize("cut", CUTS)
def test_a_formula_wrong_by_two_percent_is_found(cut):
    left = mp.mpf(str(cut_at(cut).std_ratio)) * 1.02

    assert abs(left**2 - variance(cut)) > mp.mpf(10) ** -40


@pytest.mark.parametrize("cut", CUTS)
def test_the_first_magnitude_is_the_tail_rounded_to_nearest(cut):
    numbers = cut_at(cut)

    assert numbers.first_32 == int(mp.nint(tail(cut) * 2**32))
    assert numbers.first_64 == int(mp.nint(tail(cut) * 2**64))


@pytest.mark.parametrize("std", [1.0, 0.02, 1 / 3, 1e-29])
@pytest.mark.parametrize("cut", CUTS)
def test_the_parent_std_is_rounded_correctly(cut, std):
    exact = mp.mpf(std) / mp.sqrt(variance(cut))

    assert cut_at(cut).parent_std(std) == float(exact)


@pytest.mark.parametrize("cut", [10.0, 100.0, float("inf")])
def test_a_far_cut_cuts_nothing(cut):
    numbers = cut_at(cut)

    assert (numbers.first_32, numbers.first_64) == (0, 0)
    assert numbers.parent_std(0.3) == 0.3


def test_the_rule_for_far_cuts_changes_no_rounding():
    assert tail(10) * 2**64 < 0.5
    assert 1 - mp.sqrt(variance(10)) < mp.mpf(2) ** -54


@pytest.mark.parametrize("cut", [0.099, 0.0, -1.0, float("nan")])
def test_a_cut_too_near_is_refused(cut):
    with pytest.raises(ArgumentError, match=r"'cut' must be 0.1 or more"):
        cut_at(cut)
