"""A network as a ribbon: one cell a layer, coloured by what it does, flagged or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fanin.report.svg.element import element, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.report.svg.axes import Axes

HEIGHT: Final = 8.0
LIFT: Final = 3.0
WIDEST: Final = 14.0


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One place of the network. colour: a CSS colour; is_flagged: a finding names it.

    words: shown while the pointer rests on a flag; "" for none.
    """

    colour: str
    is_flagged: bool = False
    words: str = ""


def ribbon(cells: Sequence[Cell], axes: Axes) -> str:
    """Draw cells above the plot, the first at x = 0; flags point down at theirs.

    Cells of one colour are one path, so that a thousand of them stay small.
    """
    if not cells:
        return ""
    step = (axes.x(1.0) - axes.x(0.0)) if len(cells) > 1 else WIDEST
    width = min(step * (0.84 if step > 4 else 1.0), WIDEST)
    top = axes.y.end - HEIGHT - LIFT
    runs: dict[str, str] = {}
    for place, cell in enumerate(cells):
        left = short(axes.x(float(place)) - width / 2)
        box = f"M{left} {short(top)}h{short(width)}v{short(HEIGHT)}h-{short(width)}z"
        runs[cell.colour] = runs.get(cell.colour, "") + box
    boxes = [element("path", d=path, fill=colour) for colour, path in runs.items()]
    flags = [
        _flag(axes.x(float(place)), top - 1.5, cell.words)
        for place, cell in enumerate(cells)
        if cell.is_flagged
    ]
    return "".join((*boxes, *flags))


def _flag(x: float, y: float, words: str) -> str:
    shape = f"M{short(x)} {short(y)}l-4 -7h8z"
    said = (element("title", _escaped(words)),) if words else ()
    return element("path", *said, d=shape, fill="var(--bad)")


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
