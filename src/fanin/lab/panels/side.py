"""What is drawn: one side, A or B, at one moment, with theory and spread beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fanin.report.svg import STYLES, Style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.lab.engine.expected import Expected
    from fanin.lab.engine.recipe import Recipe
    from fanin.lab.engine.seeds import Spread
    from fanin.lab.engine.trial import Frame
    from fanin.race.data import Dataset

LOOKS: Final = {"A": STYLES[0], "B": STYLES[1]}
THEORIES: Final = {
    "A": Style(colour="var(--s3)", dash="2 3", marker="triangle"),
    "B": Style(colour="var(--s4)", dash="9 3 2 3", marker="diamond"),
}


@dataclass(frozen=True, kw_only=True)
class Side:
    """One net at one moment.

    label: "A" or "B". frame: the moment. losses: of every batch up to it. history: the
    frames up to it. expected: theory before training; None after it, or where there is
    none. spread: over seeds, or None.
    """

    label: str
    recipe: Recipe
    data: Dataset
    frame: Frame
    losses: Sequence[float] = ()
    history: Sequence[Frame] = ()
    expected: Expected | None = None
    spread: Spread | None = None

    @property
    def style(self) -> Style:
        """Give the look of what was measured."""
        return LOOKS[self.label]

    @property
    def theory_style(self) -> Style:
        """Give the look of what theory says."""
        return THEORIES[self.label]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One or two sides at one moment, and what the histograms count."""

    sides: tuple[Side, ...]
    kind: str = "outputs"

    @property
    def is_pair(self) -> bool:
        """Say whether A stands beside B."""
        return len(self.sides) > 1

    def said(self, words: Callable[[Side], str]) -> str:
        """Say something of each side, with its label where there are two."""
        if not self.is_pair:
            said = words(self.sides[0])
            return said[:1].upper() + said[1:]
        return " ".join(f"{side.label}: {words(side)}" for side in self.sides)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One figure. name: of its place on the page. draw: a scene → HTML, "" for none."""

    name: str
    draw: Callable[[Scene], str]
