"""What the lessons on deep nets ask of a start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.lab.lessons.layers.evidence import Look, Looks

STEADY = (0.9, 1.1)
"""What a layer may multiply a signal by and still be said to keep it."""


def is_steady(one: Look) -> bool:
    """Ask whether a start keeps the signal."""
    return STEADY[0] < one.per_layer < STEADY[1]


def drift(one: Look) -> float:
    """Give the largest factor between a hidden layer's signal and the first one's."""
    sizes = [size / one.reading.rms[0] for size in one.reading.rms[1:-1]]
    return max(max(size, 1 / size) if size > 0 else float("inf") for size in sizes)


def halves(e: Looks) -> bool:
    """Ask whether a layer multiplies the signal by √½, within a twentieth."""
    return bool(abs(e.case.per_layer / 0.5**0.5 - 1) < 0.05)


def gradient_drift(one: Look) -> float:
    """Give the largest factor between gradients of two hidden layers."""
    sizes = one.reading.gradient_rms[:-1]
    return max(sizes) / min(sizes) if min(sizes) > 0 else float("inf")


def inner_drift(one: Look) -> float:
    """Give the largest factor between the signals of two hidden layers."""
    sizes = one.reading.rms[:-1]
    return max(sizes) / min(sizes) if min(sizes) > 0 else float("inf")


def is_settled(one: Look) -> bool:
    """Ask whether the last ten hidden layers have one size, of the order of 1."""
    sizes = one.reading.rms[-11:-1]
    return min(sizes) > 0.3 and max(sizes) < 1.3 * min(sizes) < 2


def is_same(e: Looks) -> bool:
    """Ask whether both starts end at one size."""
    return abs(e.case.reading.rms[-2] / e.better.reading.rms[-2] - 1) < 0.2
