"""From numbers to places: linear and logarithmic scales, and where ticks stand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST_POWER, MOST_POWER = -307.0, 308.0  # of ten, that float64 holds in full
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Maps [low, high] to [start, end]. Logarithmic if ``is_log``; then low > 0.

    >>> Scale(low=1.0, high=100.0, start=0.0, end=10.0, is_log=True)(10.0)
    5.0
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Give the place of a value; outside the range it lies outside too."""
        low, high = self.measure(self.low), self.measure(self.high)
        share = (self.measure(value) - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def measure(self, value: float) -> float:
        """Give what the scale is linear in: the value, or its logarithm."""
        return math.log10(value) if self.is_log else value

    def can_show(self, value: float) -> bool:
        """Say whether a value has a place: finite, and positive on a log scale."""
        return math.isfinite(value) and (value > 0 or not self.is_log)

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Give round values within the range and their labels."""
        if self.is_log:
            return _log_ticks(self.low, self.high)
        return _linear_ticks(self.low, self.high)


def _linear_ticks(
    low: float, high: float, most: int = 6
) -> tuple[tuple[float, str], ...]:
    step = _round_step((high - low) / (most - 1))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    n_decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return tuple(
        (i * step, f"{i * step:,.{n_decimals}f}".replace("-", "−"))
        for i in range(first, last + 1)
    )


def _round_step(rough: float) -> float:
    """Give the least of 1, 2, 5 times a power of ten that is no less."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough * 0.999)


def _log_ticks(low: float, high: float, most: int = 7) -> tuple[tuple[float, str], ...]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first >= 2:
        step = max(1, -(-(last - first) // (most - 1)))
        exponents = [e for e in range(first, last + 1) if e % step == 0]
        return tuple((10.0**e, power_of_ten(e)) for e in exponents)
    spread = [
        m * 10.0**e for e in range(first - 1, last + 1) for m in (1, 2, 5)
    ]  # too few whole powers to read by
    kept = [value for value in spread if low * 0.999 <= value <= high * 1.001]
    return tuple((value, f"{value:g}") for value in kept)


def power_of_ten(exponent: int) -> str:
    """Give 10ⁿ as a reader wants it.

    >>> power_of_ten(-3), power_of_ten(0)
    ('10⁻³', '1')
    """
    if exponent in {0, 1}:
        return "1" if exponent == 0 else "10"
    return f"10{str(exponent).translate(RAISED)}"


def range_of(
    values: Iterable[float], *, is_log: bool = False, pad: float = 0.04
) -> tuple[float, float]:
    """Give a range that holds all values that can be shown, a little wider.

    Nothing to show gives (0, 1), on a log scale (0.1, 10). A single value lies in the
    middle.
    """
    kept = [v for v in values if math.isfinite(v) and (v > 0 or not is_log)]
    if not kept:
        return (0.1, 10.0) if is_log else (0.0, 1.0)
    low, high = min(kept), max(kept)
    if is_log:
        low, high = math.log10(low), math.log10(high)
    margin = (high - low) * pad or (0.5 if is_log else abs(high) * 0.1 or 0.5)
    low, high = low - margin, high + margin
    if not is_log:
        return low, high
    return 10.0 ** max(low, LEAST_POWER), 10.0 ** min(high, MOST_POWER)
