"""What the demo showed: lessons proved, networks examined and mended, schemes raced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.files import write_text
from fanin.report.demo.as_html import as_page
from fanin.report.demo.as_text import as_text

if TYPE_CHECKING:
    from pathlib import Path

    from fanin.report.comparison import Comparison
    from fanin.report.demo.patient import Patient
    from fanin.report.derivation import Lesson


@dataclass(frozen=True, kw_only=True)
class Demo:
    """The whole lesson, run.

    lessons: derivations with their claims. patients: networks before and after
    `fanin.init`. comparison: schemes raced on real data. seconds: wall time of all.
    """

    lessons: tuple[Lesson, ...]
    patients: tuple[Patient, ...]
    comparison: Comparison
    seconds: float

    def to_text(self, *, width: int = 100, is_coloured: bool = False) -> str:
        """Give what was proved, found and measured, for a terminal."""
        return as_text(
            self.lessons,
            self.patients,
            self.comparison,
            width=width,
            is_coloured=is_coloured,
        )

    def to_html(self) -> str:
        """Give one self-contained page."""
        return as_page(self.lessons, self.patients, self.comparison, self.seconds)

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, wholly or not at all.

        Raises:
            OutputError: if it cannot be written.
        """
        return write_text(path, self.to_html())

    def __str__(self) -> str:
        return self.to_text()
