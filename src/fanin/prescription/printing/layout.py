"""The columns of a plan's table in a terminal: names stay readable, the rest is narrow.

Names that are too long for their column stand under the part that they share with
their neighbours, as files stand under a folder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

WIDTH = 100
LEAST_NAME = 28
"""Characters that a name keeps before other columns may."""
SHRINKING = (
    ("scheme", 16),
    ("role", 17),
    ("scheme", 12),
    ("role", 12),
    ("shape", 8),
    ("scheme", 9),
    ("role", 9),
)
"""Which columns give way where the table is too wide, and down to how much."""
SPARE = "gain"
"""The column that is left out first: the std says the same."""
LONG_NAME = 40
"""Characters of a name for whose sake it is left out."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Headings, and the texts under them; the first column names the row."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def widths(self) -> list[int]:
        """Give the width that each column asks for."""
        lines = (self.headings, *self.rows)
        return [max(len(line[i]) for line in lines) for i in range(len(self.headings))]

    def without(self, heading: str) -> Columns:
        """Leave a column out."""
        kept = [i for i, name in enumerate(self.headings) if name != heading]
        return Columns(
            headings=tuple(self.headings[i] for i in kept),
            rows=tuple(tuple(row[i] for i in kept) for row in self.rows),
        )


def lines_of(columns: Columns) -> list[str]:
    """Lay a table out in at most `WIDTH` columns.

    >>> names = ("model.blocks.attention.query.weight", "model.blocks.mlp.bias")
    >>> wide = Columns(
    ...     headings=("parameter", "std"),
    ...     rows=tuple((name, "0.1–" * 18) for name in names),
    ... )
    >>> [line.partition("0.1")[0].rstrip() for line in lines_of(wide)[2:]]
    ['model.blocks', '  attention.query.weight', '  mlp.bias']
    """
    longest, *others = columns.widths
    if _total([min(longest, LONG_NAME), *others]) > WIDTH:
        columns = columns.without(SPARE)
    widths = _fitted(columns)
    room = widths[0]
    grouped = _grouped([row[0] for row in columns.rows], room)
    lines = [
        _line(columns.headings, widths),
        "  ".join("─" * width for width in widths),
    ]
    folders = zip(grouped, columns.rows, strict=True)
    for folder, members in groupby(folders, key=lambda pair: pair[0][0]):
        indent = "  " if folder else ""
        lines += [folder] if folder else []
        for (_, name), row in members:
            lines.append(_line((indent + name, *row[1:]), widths))
    return lines


def _fitted(columns: Columns) -> list[int]:
    """Narrow the columns, in the order of `SHRINKING`, until the table fits."""
    widths = columns.widths
    wanted = widths[0]
    widths[0] = min(wanted, LEAST_NAME)
    for heading, least in SHRINKING:
        excess = _total(widths) - WIDTH
        if excess > 0 and heading in columns.headings:
            i = columns.headings.index(heading)
            widths[i] = max(widths[i] - excess, min(least, widths[i]))
    widths[0] = max(widths[0], min(wanted, widths[0] + WIDTH - _total(widths)))
    return widths


def _total(widths: list[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def _grouped(names: list[str], room: int) -> list[tuple[str, str]]:
    """Split names into a folder and a rest that has room, where one is too long."""
    folders = {_folder(name, room) for name in names if len(name) > room} - {""}
    found = []
    for name in names:
        fitting = [f for f in folders if name.startswith(f) and name[len(f)] in "./"]
        folder = max(fitting, key=len, default="")
        found.append((folder, name[len(folder) + 1 :] if folder else name))
    return found


def _folder(name: str, room: int) -> str:
    """Give the shortest leading part behind which the rest fits, two spaces in."""
    cuts = [match.start() for match in re.finditer(r"[./]", name.partition(" ")[0])]
    fitting = [cut for cut in cuts if len(name) - cut - 1 + 2 <= room]
    return name[: fitting[0]] if fitting else name[: cuts[-1]] if cuts else ""


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    shown = (
        cut(cell, width).ljust(width) for cell, width in zip(cells, widths, strict=True)
    )
    return "  ".join(shown).rstrip()


def cut(text: str, width: int) -> str:
    """Cut a text in its middle.

    >>> cut("encoder.layers.0.attention.weight", 20)
    'encoder.la…on.weight'
    """
    if len(text) <= width:
        return text
    head = width // 2
    return f"{text[:head]}…{text[len(text) - (width - head - 1) :]}"
