"""A derivation that shows itself, in a terminal, a notebook, a file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from fanin.derivation.records import Derivation
from fanin.files import write_text
from fanin.report.derivation import as_json, html, latex, markdown, terminal

if TYPE_CHECKING:
    from pathlib import Path

WRITERS = {
    ".html": html.page_of,
    ".md": markdown.markdown_of,
    ".tex": latex.latex_of,
    ".json": as_json.json_of,
    ".txt": terminal.text_of,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class Lesson(Derivation):
    """The same record with renderers; the derivation itself knows of none."""

    def __str__(self) -> str:
        return terminal.text_of(self)

    def __repr__(self) -> str:
        held = sum(claim.holds for claim in self.claims)
        return (
            f"<Lesson {self.case} {self.name!r}: {len(self.claims)} claims, "
            f"{held} hold, {len(self.claims) - held} refuted>"
        )

    def to_text(self, *, proofs: bool = False, styled: bool = False) -> str:
        """Give terminal text; ``proofs`` adds the lines of each proof."""
        return terminal.text_of(self, proofs=proofs, styled=styled)

    def to_markdown(self) -> str:
        """Give Markdown with the formulas between dollar signs."""
        return markdown.markdown_of(self)

    def to_latex(self) -> str:
        """Give a LaTeX fragment; it needs amsmath and nothing else."""
        return latex.latex_of(self)

    def to_html(self) -> str:
        """Give one self-contained HTML page."""
        return html.page_of(self)

    def to_json(self) -> str:
        """Give the record as JSON, schema fanin.explain/1."""
        return as_json.json_of(self)

    def save(self, path: str | Path) -> Path:
        """Write it to a file in the format of the suffix.

        Raises:
            ArgumentError: for a suffix that is none of .html .md .tex .json .txt.
            OutputError: if the file cannot be written.
        """
        return write_text(path, as_json.writer_for(path, WRITERS)(self))

    def _repr_html_(self) -> str:
        return html.fragment_of(self)

    def _repr_latex_(self) -> str:
        return latex.notebook_latex_of(self)

    def _repr_markdown_(self) -> str:
        return markdown.markdown_of(self)


def lesson(derivation: Derivation) -> Lesson:
    """Give a derivation the renderers."""
    values = {each.name: getattr(derivation, each.name) for each in fields(derivation)}
    return Lesson(**values)
