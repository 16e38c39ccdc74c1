"""A report as HTML: a fragment for notebooks and pages, and a page of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fanin.report.findings.format import Format
from fanin.report.page import Html, Section, fragment, inline, notice, page, table
from fanin.rules.report import Verdict
from fanin.rules.rule import Severity

if TYPE_CHECKING:
    from fanin.rules.report import Report
    from fanin.rules.rule import Finding

NOTICES = {
    Severity.ERROR: "bad",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}
VERDICTS = {
    Verdict.CANNOT_LEARN: "bad",
    Verdict.WILL_STRUGGLE: "warning",
    Verdict.HEALTHY: "good",
    Verdict.NOT_CHECKED: "note",
}


def html(report: Report) -> str:
    """Give the report for a notebook cell, with the styles it needs.

    >>> from fanin.rules import Report, Verdict
    >>> "healthy for this batch" in html(Report(verdict=Verdict.HEALTHY))
    True
    """
    return fragment(body(report))


def body(report: Report) -> str:
    """Give the report as HTML without styles, to stand in a section of a page."""
    verdict = f"<strong>{inline(report.verdict)}</strong>: {inline(report.summary)}."
    parts = [notice(VERDICTS[report.verdict], Html(verdict))]
    parts += [notice("note", note) for note in report.notes]
    parts += [_finding(finding) for finding in report.findings]
    if report.consequences:
        parts.append(_consequences(report.consequences))
    return "".join(parts)


def page_of(report: Report, *, title: str = "Check") -> str:
    """Give a whole HTML document, with the report's JSON embedded."""
    return page(
        title=title,
        sections=[Section(title="Findings", body=body(report))],
        data=json.loads(report.to_json()),
    )


def _finding(finding: Finding) -> str:
    """Give one finding: a notice with its sentence, the evidence in a table below."""
    head = (
        f"<strong>{inline(finding.code)} {inline(finding.name)}</strong> · "
        f"{inline(finding.severity)}, {inline(finding.evidence)}<br>"
        f"<code>{inline(finding.where)}</code><br>{inline(finding.message)}"
    )
    rows = [
        (label, text)
        for label, text in (
            ("measured", finding.measured),
            ("expected", finding.expected),
            ("why", finding.why),
            ("fix", finding.fix),
            ("source", finding.source),
            ("parameters", ", ".join(finding.paths)),
        )
        if text
    ]
    evidence = table(["field", "in words"], rows) if rows else ""
    folded = f"<details><summary>Show the evidence</summary>{evidence}</details>"
    is_open = finding.severity is not Severity.INFO
    shown = folded.replace("<details>", "<details open>", 1) if is_open else folded
    return notice(NOTICES[finding.severity], Html(head)) + shown


def _consequences(consequences: tuple[Finding, ...]) -> str:
    """Give the findings that others explain, folded."""
    rows = [(f.code, f.where, f.message) for f in consequences]
    shown = table(["rule", "where", "what"], rows)
    return f"<details><summary>What follows from these</summary>{shown}</details>"


FORMAT = Format(
    name="html",
    summary="one page, readable offline",
    write=lambda report, _: page_of(report, title=f"fanin check {report.target}"),
    suffixes=(".html", ".htm"),
)
