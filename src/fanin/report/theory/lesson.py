"""The theory of one activation that shows itself in terminal, notebook and file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError
from fanin.files import write_text
from fanin.report.theory import as_html, as_json, as_markdown, as_text
from fanin.report.theory.summary import summary_of, title_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.theory import Portrait

WRITERS: Final = {
    ".html": as_html.page_of,
    ".md": as_markdown.markdown_of,
    ".tex": as_markdown.latex_of,
    ".json": as_json.json_of,
    ".txt": as_text.text_of,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class TheoryLesson:
    """What mean field theory says, with renderers. portrait: the numbers."""

    portrait: Portrait

    @property
    def title(self) -> str:
        """Give the heading."""
        return title_of(self.portrait)

    @property
    def summary(self) -> str:
        """Give the verdict in a paragraph."""
        return summary_of(self.portrait)

    def __str__(self) -> str:
        return as_text.text_of(self.portrait)

    def __repr__(self) -> str:
        name = self.portrait.field.nonlinearity.name
        return f"<TheoryLesson {name!r}: {self.portrait.phase}>"

    def to_text(self, *, styled: bool = False) -> str:
        """Give terminal text."""
        return as_text.text_of(self.portrait, styled=styled)

    def to_markdown(self) -> str:
        """Give Markdown with the formulas between dollar signs."""
        return as_markdown.markdown_of(self.portrait)

    def to_latex(self) -> str:
        """Give a LaTeX fragment; it needs amsmath and nothing else."""
        return as_markdown.latex_of(self.portrait)

    def to_html(self) -> str:
        """Give one self-contained HTML page."""
        return as_html.page_of(self.portrait)

    def to_json(self) -> str:
        """Give the numbers as JSON, schema fanin.theory/1."""
        return as_json.json_of(self.portrait)

    def save(self, path: str | Path) -> Path:
        """Write it to a file in the format of the suffix.

        Raises:
            ArgumentError: for a suffix that is none of .html .md .tex .json .txt.
            OutputError: if the file cannot be written.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in WRITERS:
            expected = f"a file name that ends in {', '.join(WRITERS)}"
            raise ArgumentError.of(
                argument="path", received=str(path), expected=expected
            )
        writer: Callable[[Portrait], str] = WRITERS[suffix]
        return write_text(path, writer(self.portrait))

    def _repr_html_(self) -> str:
        return as_html.fragment_of(self.portrait)

    def _repr_markdown_(self) -> str:
        return as_markdown.markdown_of(self.portrait)
