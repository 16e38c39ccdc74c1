"""A Plan as one HTML fragment: a table that needs no style sheet to be read."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from fanin.prescription.as_text import headline
from fanin.prescription.rows import HEADINGS, Row, rows

if TYPE_CHECKING:
    from fanin.prescription.plan import Plan

NUMBERS = frozenset({"gain", "std", "output rms", "measured"})


def fragment(plan: Plan) -> str:
    """Give the fragment; every text of the model's is escaped."""
    found = rows(plan.prescriptions)
    head = "".join(f'<th scope="col">{heading}</th>' for heading in (*HEADINGS, "why"))
    body = "".join(_row(row) for row in found)
    parts = [
        '<div class="fanin-plan">',
        f"<p>{escape(headline(plan))}</p>",
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>",
        *(f'<p class="warning">Warning: {escape(text)}</p>' for text in plan.warnings),
        *(f'<p class="note">Note: {escape(text)}</p>' for text in plan.notes),
    ]
    if plan.first_loss is not None:
        parts.append(f"<p>First loss expected: {plan.first_loss:.4g}</p>")
    return "\n".join([*parts, "</div>"])


def _row(row: Row) -> str:
    cells = "".join(
        f"<td{_class(heading)}>{escape(cell)}</td>"
        for heading, cell in zip(HEADINGS, row.cells, strict=True)
    )
    return f"<tr>{cells}<td>{escape(row.first.reason)}</td></tr>"


def _class(heading: str) -> str:
    return ' class="number"' if heading in NUMBERS else ""
