"""What a format of a check's report is: a file of this folder with a FORMAT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.rules.report import Report


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a report is written on.

    width: columns. is_coloured: shows ANSI colours. Formats that are read by machines
    look the same on everything.
    """

    width: int = 88
    is_coloured: bool = False


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way to write a whole report.

    name: as ``--format`` takes it. suffixes: of files that are written so unless told
    otherwise (".sarif"). summary: in a few words. write: gives the text.
    """

    name: str
    summary: str
    write: Callable[[Report, Look], str]
    suffixes: tuple[str, ...] = ()

    @property
    def aliases(self) -> tuple[str, ...]:
        """Give no further names: suffixes are read apart from names."""
        return ()
