"""A report as annotations of GitHub Actions: a command a line, on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fanin.report.findings.format import Format
from fanin.report.findings.places import place_of
from fanin.rules.report import Verdict
from fanin.rules.rule import Severity

if TYPE_CHECKING:
    from fanin.rules.report import Report
    from fanin.rules.rule import Finding

COMMANDS: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "notice",
}


def github(report: Report) -> str:
    """Give an annotation for each finding and, last, one for the whole.

    >>> from fanin.rules import Report, Verdict
    >>> print(github(Report(verdict=Verdict.HEALTHY)))
    ::notice title=fanin::healthy for this batch: nothing found in 0 parameters, \
0 sites, 0 rules.
    """
    lines = [_annotation(finding, report) for finding in report.findings]
    closing = f"{report.verdict}: {report.summary}."
    # What was not checked must be seen; what was is said above, line by line.
    level = "warning" if report.verdict is Verdict.NOT_CHECKED else "notice"
    return "\n".join([*lines, f"::{level} title=fanin::{data(closing)}"])


def _annotation(finding: Finding, report: Report) -> str:
    place = place_of(finding, report)
    keys = {"title": f"{finding.code} {finding.name}"}
    if place is not None:
        keys = {
            "file": place.file,
            "line": str(place.line),
            "col": str(max(place.column, 1)),
            **keys,
        }
    said = ",".join(f"{key}={value(text)}" for key, text in keys.items())
    words = [f"{finding.where}: {finding.message}"]
    words += [f"measured: {finding.measured}"] if finding.measured else []
    words += [f"expected: {finding.expected}"] if finding.expected else []
    words += [f"fix: {finding.fix}"] if finding.fix else []
    return f"::{COMMANDS[finding.severity]} {said}::{data(chr(10).join(words))}"


def data(text: str) -> str:
    r"""Escape what ends a command: the percent sign and the ends of lines.

    >>> data("100 %\nof all")
    '100 %25%0Aof all'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def value(text: str) -> str:
    """Escape what ends a property too: colon and comma.

    >>> value("a:b,c")
    'a%3Ab%2Cc'
    """
    return data(text).replace(":", "%3A").replace(",", "%2C")


FORMAT = Format(
    name="github",
    summary="annotations of GitHub Actions",
    write=lambda report, _: github(report),
)
