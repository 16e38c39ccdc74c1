"""Units that get something of their own: a slice, or a loop over slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.prescription.code.lines import indented
from fanin.prescription.code.loops import as_range

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.prescription.code.recipe import Change, Recipe

    Say = Callable[[str, Change], str]
    """From the index of the units, as text, and what they get, to a statement."""


def changed(recipe: Recipe, say: Say) -> list[str]:
    """Give the statements that change units, in the order in which they are done."""
    lines = []
    before = ":, " * recipe.unit_axis
    for change in recipe.changes:
        start = change.starts[0]
        if len(change.starts) == 1:
            lines.append(say(f"{before}{start}:{start + change.size}", change))
        else:
            statement = say(f"{before}start : start + {change.size}", change)
            header = f"for start in {as_range(change.starts)}:"
            lines += [header, *indented([statement])]
    return lines
