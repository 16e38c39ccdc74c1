"""Curves, and the numbers that a lesson's sentences speak of."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One start's curve. y: measured; theory: beside it, as long, or empty."""

    label: str
    y: tuple[float, ...]
    theory: tuple[float, ...] = ()

    @property
    def end(self) -> float:
        """Give the last value that was measured."""
        return self.y[-1]

    def is_near(self, within: float) -> bool:
        """Ask whether every value is theory's, up to a factor.

        >>> Curve(label="", y=(1.0, 2.1), theory=(1.0, 2.0)).is_near(1.1)
        True
        """
        pairs = zip(self.y, self.theory, strict=True)
        return all(1 / within < seen / told < within for seen, told in pairs)


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Curves over one axis. caption: what is seen, in a sentence, with its numbers.

    x: of all curves. is_log: the upright axis; x_is_log: the level one.
    """

    title: str
    caption: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    curves: tuple[Curve, ...]
    is_log: bool = True
    x_is_log: bool = False


@dataclass(frozen=True, kw_only=True)
class Curves:
    """What a lesson found. facts: numbers by name."""

    charts: tuple[Chart, ...]
    settings: Mapping[str, float]
    facts: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def curve(self, label: str, chart: int = 0) -> Curve:
        """Give the curve of that label."""
        return next(c for c in self.charts[chart].curves if c.label == label)

    def end(self, label: str, chart: int = 0) -> float:
        """Give the last value of the curve of that label."""
        return self.curve(label, chart).end


def steady(values: Sequence[float], within: float) -> bool:
    """Ask whether the largest of some sizes is less than so many times the least.

    >>> steady([1.0, 1.5, 1.2], 2), steady([1.0, 3.0], 2)
    (True, False)
    """
    return min(values) > 0 and max(values) < within * min(values)
