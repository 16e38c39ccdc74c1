"""The result of ``fanin.compare``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanin.errors import ArgumentError
from fanin.files import write_text
from fanin.report.comparison.as_html import as_fragment, as_page
from fanin.report.comparison.as_json import as_json
from fanin.report.comparison.as_rows import as_csv, as_frame, write_parquet
from fanin.report.comparison.as_text import as_markdown, as_table, as_text
from fanin.report.comparison.statements import Statement, statements

if TYPE_CHECKING:
    from fanin.race import Standing, Standings

KINDS = (".html", ".json", ".md", ".txt", ".csv", ".parquet")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a comparison of schemes showed; prints as findings and a table.

    standings: the records behind every number. run: its number in the store, if any.
    """

    standings: Standings
    run: int | None = None

    def best(self, activation: str) -> str | None:
        """Give the spec of the scheme with the greatest mean test accuracy.

        Returns:
            None if no scheme with this activation was finished.

        Raises:
            UnknownNameError: if the activation was not compared.
        """
        row = self.standings.best(activation)
        return row.scheme if row else None

    def of(self, activation: str) -> tuple[Standing, ...]:
        """Give every scheme's standing with one activation.

        Raises:
            UnknownNameError: if the activation was not compared.
        """
        return self.standings.of(activation)

    def findings(self, activation: str) -> tuple[Statement, ...]:
        """Give the sentences made from the numbers, each with a kind.

        Raises:
            UnknownNameError: if the activation was not compared.
        """
        return statements(self.standings, activation)

    def table(self, *, width: int = 120, is_coloured: bool = False) -> str:
        """Give the table for a terminal of that many columns."""
        return as_table(self.standings, width=width, is_coloured=is_coloured)

    def to_text(self, *, width: int = 120, is_coloured: bool = False) -> str:
        """Give findings, table and setting for a terminal."""
        return as_text(self.standings, width=width, is_coloured=is_coloured)

    def to_markdown(self) -> str:
        """Give findings and table as Markdown."""
        return as_markdown(self.standings)

    def to_json(self) -> str:
        """Give everything as JSON (schema fanin.compare/1), with every step's loss."""
        return json.dumps(as_json(self.standings), ensure_ascii=False, indent=1)

    def to_html(self) -> str:
        """Give one self-contained page."""
        return as_page(self.standings)

    def to_csv(self) -> str:
        """Give every trial as a row of CSV."""
        return as_csv(self.standings)

    def to_frame(self) -> Any:  # noqa: ANN401 (a pandas.DataFrame)
        """Give every trial as a row of a DataFrame.

        Raises:
            MissingDependencyError: if pandas is not installed.
        """
        return as_frame(self.standings)

    def to_parquet(self, path: str | Path) -> Path:
        """Write every trial as a row of a .parquet.

        Raises:
            MissingDependencyError: if pandas or pyarrow is not installed.
            OutputError: if the file cannot be written.
        """
        return write_parquet(self.standings, path)

    def save(self, path: str | Path) -> Path:
        """Write it to a file; the ending decides how: one of ``KINDS``.

        Raises:
            ArgumentError: if the ending is another.
            OutputError: if the file cannot be written.
        """
        kind = Path(path).suffix.lower()
        if kind not in KINDS:
            expected = f"a path that ends in {', '.join(KINDS)}"
            raise ArgumentError.of(
                argument="path", received=str(path), expected=expected
            )
        if kind == ".parquet":
            return self.to_parquet(path)
        text = {
            ".csv": self.to_csv,
            ".html": self.to_html,
            ".json": self.to_json,
            ".md": self.to_markdown,
            ".txt": self.to_text,
        }[kind]()
        return write_text(path, text)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return as_fragment(self.standings)
