"""What is left of a law when numbers are drawn one by one: kind, size and cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fanin.sampler.truncation import NO_CUT, Cut, cut_at

if TYPE_CHECKING:
    from fanin.sampler.law import Law

NORMAL: Final = 0
TRUNCATED: Final = 1
UNIFORM: Final = 2

_UNCUT: Final = cut_at(NO_CUT)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Numbers for the kernels.

    kind: NORMAL, TRUNCATED or UNIFORM. scale: > 0, the std before the cut, or the half
    width. cut: where the tails end; nothing is cut where kind is not TRUNCATED. times:
    what the numbers, rounded to the dtype that they are worked on in, are multiplied
    with at the end; of a mirrored half −1.
    """

    kind: int
    scale: float
    cut: Cut
    times: float = 1.0


def recipe_of(law: Law, times: float = 1.0) -> Recipe:
    """Read a law whose std or bound is not 0.

    Args:
        law: normal, truncated normal or uniform.
        times: what its numbers are multiplied with.

    >>> from fanin.sampler.law import Law
    >>> recipe_of(Law("truncated_normal", std=1.0)).scale
    1.1368472343385565
    """
    if law.kind == "uniform":
        return Recipe(kind=UNIFORM, scale=law.half_width, cut=_UNCUT, times=times)
    std = law.std or 0.0
    if law.kind == "normal":
        return Recipe(kind=NORMAL, scale=std, cut=_UNCUT, times=times)
    cut = cut_at(law.cut)
    return Recipe(kind=TRUNCATED, scale=cut.parent_std(std), cut=cut, times=times)
