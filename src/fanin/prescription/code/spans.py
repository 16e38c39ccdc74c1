"""Units that get something of their own: a slice, or a loop over slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.prescription.code.lines import indented
from fanin.prescription.code.loops import as_range

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.prescription.code.recipe import Change, Recipe

    Say = Callable[[str, str, Change], str]
    """From the first unit and the one after the last, as text, to a statement."""


def index_of(recipe: Recipe, start: str, stop: str) -> str:
    """Give the index of units of an array, as it stands between brackets."""
    is_plain = start.isdigit() and stop.isdigit()
    return ":, " * recipe.unit_axis + start + (":" if is_plain else " : ") + stop


def changed(recipe: Recipe, say: Say) -> list[str]:
    """Give the statements that change units, in the order in which they are done."""
    lines = []
    for change in recipe.changes:
        first = change.starts[0]
        if len(change.starts) == 1:
            lines.append(say(str(first), str(first + change.size), change))
        else:
            statement = say("start", f"start + {change.size}", change)
            header = f"for start in {as_range(change.starts)}:"
            lines += [header, *indented([statement])]
    return lines
