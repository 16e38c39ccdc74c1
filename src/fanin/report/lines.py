"""What rich prints, as plain lines of text: for every report that is text."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def console_of(width: int, *, is_styled: bool, has_markup: bool = False) -> Console:
    """Give a console that keeps what it prints.

    Args:
        width: columns, > 0.
        is_styled: whether colours are written (ANSI escapes), for a terminal.
        has_markup: whether "[bold]" and its kin in a text are styles.
    """
    from rich.console import Console

    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=is_styled,
        no_color=not is_styled,
        highlight=False,
        emoji=False,
        markup=has_markup,
    )


def printed_on(console: Console) -> str:
    r"""Give what was printed, without blanks at the ends of lines.

    >>> console = console_of(80, is_styled=False)
    >>> console.print("fan_in  ")
    >>> printed_on(console)
    'fan_in\n'
    """
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
