"""The lesson in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.lines import console_of, printed_on
from fanin.report.theory.parts import parts_of
from fanin.report.theory.summary import summary_of, title_of

if TYPE_CHECKING:
    from rich.console import Console

    from fanin.report.theory.part import Part
    from fanin.report.theory.part import Table as Rows
    from fanin.theory import Portrait

WIDTH = 100


def text_of(portrait: Portrait, *, styled: bool = False, width: int = WIDTH) -> str:
    """Give the lesson as lines of text.

    Args:
        portrait: what to show.
        styled: whether colours are written (ANSI escapes), for a terminal.
        width: columns, > 0.
    """
    console = console_of(width, is_styled=styled)
    console.print(title_of(portrait), style="bold")
    console.print()
    console.print(summary_of(portrait))
    for part in parts_of(portrait):
        _part(console, part)
    return printed_on(console)


def _part(console: Console, part: Part) -> None:
    console.print()
    console.print(part.title, style="bold")
    for formula in part.formulas:
        _indented(console, formula.text, 4, style="cyan")
    if part.table is not None:
        _table(console, part.table)
    for sentence in part.text:
        _indented(console, sentence, 2)


def _indented(console: Console, text: str, indent: int, style: str = "") -> None:
    from rich.padding import Padding
    from rich.text import Text

    console.print(Padding(Text(text, style=style), (0, 0, 0, indent)))


def _table(console: Console, rows: Rows) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_edge=False)
    for k, name in enumerate(rows.head):
        table.add_column(f"  {name}" if k == 0 else name)
    for first, *rest in rows.rows:
        table.add_row(f"  {first}", *rest)
    console.print(table)
