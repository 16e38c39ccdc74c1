"""The lesson as Markdown, and as a LaTeX fragment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.derivation.latex import prose
from fanin.report.theory.parts import parts_of
from fanin.report.theory.summary import summary_of, title_of

if TYPE_CHECKING:
    from fanin.report.theory.part import Part, Table
    from fanin.theory import Portrait


def markdown_of(portrait: Portrait) -> str:
    """Give a Markdown document, formulas between dollar signs."""
    lines = [f"# {title_of(portrait)}", "", summary_of(portrait), ""]
    for part in parts_of(portrait):
        lines += [f"## {part.title}", ""]
        for formula in part.formulas:
            lines += [f"$${formula.latex}$$", ""]
        if part.table is not None:
            lines += [*_rows(part.table), ""]
        for sentence in part.text:
            lines += [sentence, ""]
    return "\n".join(lines).rstrip() + "\n"


def _rows(table: Table) -> list[str]:
    rows = [table.head, tuple("---" for _ in table.head), *table.rows]
    escaped = [[word.replace("|", "\\|") for word in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in escaped]


def latex_of(portrait: Portrait) -> str:
    """Give a LaTeX fragment; it needs amsmath and nothing else."""
    lines = [rf"\section*{{{prose(title_of(portrait))}}}", prose(summary_of(portrait))]
    for part in parts_of(portrait):
        lines += ["", rf"\subsection*{{{prose(part.title)}}}", *_latex_part(part)]
    return "\n".join(lines) + "\n"


def _latex_part(part: Part) -> list[str]:
    lines = [rf"\[ {formula.latex} \]" for formula in part.formulas]
    if part.table is not None:
        columns = "l" * len(part.table.head)
        rows = [part.table.head, *part.table.rows]
        body = [" & ".join(map(prose, row)) + r" \\" for row in rows]
        lines += [
            rf"\begin{{center}}\begin{{tabular}}{{{columns}}}",
            body[0],
            r"\hline",
            *body[1:],
            r"\end{tabular}\end{center}",
        ]
    for sentence in part.text:
        lines += [prose(sentence), ""]
    return lines
