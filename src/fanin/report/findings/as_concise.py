"""A report in a log: one line a finding, one for the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.findings.format import Format

if TYPE_CHECKING:
    from fanin.rules.report import Report
    from fanin.rules.rule import Finding


def concise(report: Report) -> str:
    """Give one line a finding and one for the whole, without colour.

    Lines begin with "file:line:column:" where known, as editors and CI link them.

    >>> from fanin.rules import Report, Verdict
    >>> print(concise(Report(verdict=Verdict.HEALTHY)))
    healthy for this batch: nothing found in 0 parameters, 0 sites, 0 rules.
    """
    closing = f"{report.verdict}: {report.summary}."
    return "\n".join([*report.notes, *map(_line, report.findings), closing])


def _line(finding: Finding) -> str:
    place = finding.location
    at = "" if place is None else f"{place}:{place.column}: "
    return f"{at}{finding.code} {finding.severity} {finding.where}: {finding.message}"


FORMAT = Format(
    name="concise",
    summary="one line a finding",
    write=lambda report, _: concise(report),
)
