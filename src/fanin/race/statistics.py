"""Means over seeds and how sure they are: Student's t, and differences seed by seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over seeds. sd: of one seed's value, with n − 1; NaN for a single seed.

    low, high: ends of the 95 % interval of the mean; NaN for a single seed.
    """

    mean: float
    sd: float
    low: float
    high: float
    n: int

    @property
    def is_clear(self) -> bool:
        """Say whether the interval leaves out 0: for differences."""
        return self.low > 0 or self.high < 0

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate:
        """Estimate the mean of independent values; NaN among them makes it NaN.

        Raises:
            ArgumentError: if there are none.

        >>> Estimate.of([1.0, 2.0, 3.0]).sd
        1.0
        """
        n = len(values)
        if n == 0:
            raise ArgumentError.of(
                argument="values", received=values, expected="at least one number"
            )
        mean = math.fsum(values) / n
        if n == 1:
            return cls(mean=mean, sd=math.nan, low=math.nan, high=math.nan, n=1)
        sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
        half = student_quantile((1 + CONFIDENCE) / 2, n - 1) * sd / math.sqrt(n)
        return cls(mean=mean, sd=sd, low=mean - half, high=mean + half, n=n)


def paired_difference(ones: Sequence[float], others: Sequence[float]) -> Estimate:
    """Estimate the mean of one minus other, seed by seed.

    The two share batches and unit draws, so that what a seed does to both drops out.

    >>> paired_difference([2.0, 5.0], [1.0, 4.0]).mean
    1.0
    """
    return Estimate.of([a - b for a, b in zip(ones, others, strict=True)])


def paired_p(ones: Sequence[float], others: Sequence[float]) -> float:
    """Give the two-sided p-value of Student's paired test: that the means are equal.

    NaN for a single pair. Where all differences are the same number there is nothing
    to be unsure of: 1 if it is 0, else 0.

    >>> round(paired_p([1.0, 2.0, 4.0], [0.0, 0.0, 1.0]), 6)
    0.07418
    """
    gap = paired_difference(ones, others)
    if gap.n < 2 or math.isnan(gap.mean):
        return math.nan
    if gap.sd == 0:
        return float(gap.mean == 0)
    t = abs(gap.mean) / gap.sd * math.sqrt(gap.n)
    return 2 * (1 - student_cdf(t, gap.n - 1))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Correct p-values of tests made together (Holm 1979): still each at most 1.

    With all rejected whose result is below α, the probability of any wrong rejection
    is at most α, however the tests depend on each other. NaN stays NaN and counts as no
    test.

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    known = [i for i, p in enumerate(p_values) if not math.isnan(p)]
    corrected = list(p_values)
    most = 0.0
    for rank, i in enumerate(sorted(known, key=lambda i: p_values[i])):
        most = max(most, min((len(known) - rank) * p_values[i], 1.0))
        corrected[i] = most
    return tuple(corrected)


def student_cdf(t: float, n_free: int) -> float:
    """P(T ≤ t) of Student's t with a whole number of degrees of freedom.

    The finite sums in θ = arctan(t/√ν) of Abramowitz & Stegun (1964), 26.7.3 and
    26.7.4; exact up to rounding.

    >>> student_cdf(1.0, 1)
    0.75
    """
    theta = math.atan(t / math.sqrt(n_free))
    sine, cosine = math.sin(theta), math.cos(theta)
    total, term = 0.0, 1.0 if n_free % 2 == 0 else cosine
    start = 1 if n_free % 2 == 0 else 2
    for k in range(start, n_free, 2):
        total += term
        term *= cosine**2 * k / (k + 1)
    if n_free % 2 == 0:
        return 0.5 + sine * total / 2
    return 0.5 + (theta + sine * total) / math.pi


def student_quantile(share: float, n_free: int) -> float:
    """Give t with P(T ≤ t) = share, by bisection: |error| < 1e-12·t for share ≤ 0.999.

    >>> round(student_quantile(0.975, 2), 6)
    4.302653
    """
    low, high = 0.0, 1e4
    if share < 0.5:
        return -student_quantile(1 - share, n_free)
    for _ in range(120):
        middle = (low + high) / 2
        if student_cdf(middle, n_free) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2
