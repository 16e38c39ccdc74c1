"""A table that is printed row by row, for the terminal or as Markdown."""

from __future__ import annotations

from typing import Any

FIRST, OTHERS = 32, 13


class Table:
    """Prints its head at once and each row as it comes: a long run shows its way."""

    def __init__(self, head: tuple[str, ...], *, is_markdown: bool = False) -> None:
        self.is_markdown = is_markdown
        self.row(*head)
        if is_markdown:
            print("|" + "---|" + "---:|" * (len(head) - 1))

    def row(self, *cells: Any) -> None:
        """Print one row: a name, then numbers to the right."""
        texts = [str(cell) for cell in cells]
        if self.is_markdown:
            print("| " + " | ".join(texts) + " |", flush=True)
            return
        name = texts[0].replace("*", "")
        print(f"{name:{FIRST}}" + "".join(f" {t:>{OTHERS}}" for t in texts[1:]))

    def close(self) -> None:
        """End the table with an empty line."""
        print()
