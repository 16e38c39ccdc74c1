"""Where in somebody's code a finding belongs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Location:
    """A line of code.

    file: relative to the working directory where it lies below it. line, column: from
    1. text: the line itself, without its indentation. kind: what the line does to the
    layer: "constructs" it, "defines" its class (where the constructing line cannot be
    told, or lies in a library), or "runs" it in the forward pass.

    >>> place = Location(file="net.py", line=23, text="self.fc = nn.Linear(2, 3)")
    >>> str(place), place.kind
    ('net.py:23', 'constructs')
    """

    file: str
    line: int
    column: int = 1
    text: str = ""
    kind: str = "constructs"

    def __str__(self) -> str:
        """Give "file:line", as editors and terminals link it."""
        return f"{self.file}:{self.line}"
