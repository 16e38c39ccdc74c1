"""How many findings each rule has, most first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.rules.report import Report


def statistics(report: Report) -> str:
    """Give a line for each rule that found something, and the verdict.

    >>> from fanin.rules import Finding, Report, Severity, Verdict
    >>> note = Finding(
    ...     code="FAN003",
    ...     name="no-loss",
    ...     severity=Severity.INFO,
    ...     where="the loss",
    ...     message="No loss.",
    ... )
    >>> print(statistics(Report(verdict=Verdict.HEALTHY, findings=(note, note))))
    2  FAN003  no-loss  info
    healthy for this batch: 2 notes in 0 parameters, 0 sites, 0 rules.
    """
    counts = Counter((f.code, f.name, str(f.severity)) for f in report.findings)
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    wide = max((len(str(n)) for _, n in rows), default=1)
    lines = [f"{n:>{wide}}  {'  '.join(words)}" for words, n in rows]
    return "\n".join([*lines, f"{report.verdict}: {report.summary}."])
