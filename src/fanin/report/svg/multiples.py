"""One small histogram, a drawing of its own: hundreds of them wrap on a page."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from fanin.report.svg.element import element

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDE, TALL = 3, 30


def small_histogram(counts: Sequence[int], *, words: str, colour: str) -> str:
    """Draw counts as bars; heights follow their square roots (Tukey's rootogram).

    Whole coordinates and relative moves, so that a drawing weighs 300 bytes.

    Args:
        counts: of each bin.
        words: what it shows, for who cannot see it.
        colour: a CSS colour.

    >>> svg = small_histogram([1, 4, 0], words="two sizes", colour="red")
    >>> svg[svg.index("<path") :]
    '<path d="M0 30v-15h3v-15h3v30h3z" fill="red"/></svg>'
    """
    most = max(counts, default=0) or 1
    path, before = f"M0 {TALL}", 0
    for count in counts:
        height = round(TALL * sqrt(count / most))
        path += f"{f'v{before - height}' if height != before else ''}h{WIDE}"
        before = height
    path += f"v{before}z" if before else "z"
    width = WIDE * len(counts)
    return element(
        "svg",
        element("path", d=path, fill=colour),
        viewBox=f"0 0 {width} {TALL}",
        role="img",
        aria_label=words,
    )
