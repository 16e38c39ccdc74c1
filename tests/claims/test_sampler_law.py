"""The law that the narrow table defines, summed exactly over all 2³¹ magnitudes."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy import special

from fanin.sampler.narrow import normal_units

PAGE = Path(__file__).parents[2] / "docs" / "sampler.md"


@dataclass(frozen=True, kw_only=True)
class ExactLaw:
    """Absolute moments of z by power, and the largest difference from Φ."""

    moments: dict[int, float]
    distance: float
    total: float


def cells():
    """Yield first magnitudes and the width of their cells: all with one height each.

    From octave 22 on, a height reads the 22 bits after the leading one and no more.
    """
    yield np.array([0], dtype=np.int64), 2
    for octave in range(1, 31):
        width = max(1, 2 ** (octave - 22))
        step = min(2**octave, 2**20 * width)
        for first in range(2**octave, 2 ** (octave + 1), step):
            yield np.arange(first, first + step, width, dtype=np.int64), width


@pytest.fixture(scope="module")
def law():
    sums = dict.fromkeys((1, 2, 4), 0.0)
    total = distance = 0.0
    for magnitudes, width in cells():
        z = normal_units(magnitudes.astype(np.uint32)).astype(np.float64) / 2**28
        share = width / 2**31
        total += share * len(z)
        for power in sums:
            sums[power] += share * float(np.sum(z**power))
        tail = special.ndtr(-z)
        low, high = magnitudes / 2**32, (magnitudes + width) / 2**32
        here = max(np.abs(tail - low).max(), np.abs(tail - high).max())
        distance = max(distance, float(here))
    return ExactLaw(moments=sums, distance=distance, total=total)


@pytest.mark.slow
def test_the_page_prints_the_exact_law(law):
    page = PAGE.read_text(encoding="utf-8")
    mean = law.moments[1] / math.sqrt(2 / math.pi) - 1
    std = math.sqrt(law.moments[2]) - 1
    kurtosis = law.moments[4] / (3 * law.moments[2] ** 2) - 1

    assert law.total == 1.0
    assert mean == pytest.approx(3.8e-9, abs=5e-11)
    assert std == pytest.approx(2.5e-9, abs=5e-11)
    assert kurtosis == pytest.approx(-1.9e-8, abs=5e-10)
    assert law.distance == pytest.approx(7.0e-7, abs=5e-9)
    for printed in ("3.8·10⁻⁹", "2.5·10⁻⁹", "−1.9·10⁻⁸", "7.0·10⁻⁷"):
        assert f"| {printed} |" in page


@pytest.mark.slow
def test_an_integral_over_the_density_agrees(law):
    """E|z| of a normal law is √(2/π): the sums above are of the right law."""
    assert law.moments[1] == pytest.approx(math.sqrt(2 / math.pi), rel=1e-8)
    assert law.moments[4] == pytest.approx(3, rel=1e-7)


def test_the_first_octaves_alone_show_the_law():
    """Half of all numbers, |z| < 0.674: their mean is (φ(0) − φ(z₁))/(1/4)."""
    magnitudes = np.arange(2**30, 2**31, 2**8, dtype=np.uint32)
    z = normal_units(magnitudes) / 2**28
    edge = special.ndtri(0.75)
    density = math.exp(-(edge**2) / 2)
    expected = 4 * (1 - density) / math.sqrt(2 * math.pi)

    assert z.mean() == pytest.approx(expected, rel=1e-7)
    assert 1.02 * z.mean() != pytest.approx(expected, rel=1e-7)
