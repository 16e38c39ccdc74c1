"""Numbers and places in words, the same in every format."""

from __future__ import annotations

from math import inf, isfinite

from fanin.report.page import number

SCALE_DIGITS = 4


def short(value: float) -> str:
    """Give a number with four digits.

    >>> short(0.0242443799), short(float("inf"))
    ('0.02424', '∞')
    """
    return number(value, SCALE_DIGITS)


def exact(value: float) -> str:
    """Give a number with eight decimals, as theory is quoted; a power far from 1.

    >>> exact(0.60704679190), exact(2.0)
    ('0.60704679', '2')
    """
    if not isfinite(value) or value == 0.0 or not 1e-4 <= abs(value) < 1e4:
        return number(value, 6)
    return f"{value:.8f}".rstrip("0").rstrip(".").replace("-", "−")


def layers(scale: float) -> str:
    """Give a depth scale in words.

    >>> layers(3.0), layers(float("inf")), layers(-2.0)
    ('falls by e in 3 layers', 'no exponential', 'grows by e in 2 layers')
    """
    if abs(scale) == inf:
        return "no exponential"
    if scale == 0.0:
        grows = str(scale).startswith("-")
        return "grows without bound at once" if grows else "gone after one layer"
    way = "falls" if scale > 0.0 else "grows"
    return f"{way} by e in {short(abs(scale))} layers"


def listed(words: tuple[str, ...]) -> str:
    """Give "a, b and c".

    >>> listed(("a", "b", "c"))
    'a, b and c'
    """
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
