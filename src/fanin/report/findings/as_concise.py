"""A report in a log: one line a finding, one for the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.findings.format import Format

if TYPE_CHECKING:
    from fanin.rules.report import Report


def concise(report: Report) -> str:
    """Give one line a finding and one for the whole, without colour.

    >>> from fanin.rules import Report, Verdict
    >>> print(concise(Report(verdict=Verdict.HEALTHY)))
    healthy for this batch: nothing found in 0 parameters, 0 sites, 0 rules.
    """
    return str(report)


FORMAT = Format(
    name="concise",
    summary="one line a finding",
    write=lambda report, _: concise(report),
)
