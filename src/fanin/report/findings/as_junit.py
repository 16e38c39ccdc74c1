"""A report for test dashboards: JUnit XML, a case a rule.

A rule that was not asked is a skipped case, so that it never looks passed; a model that
could not be checked is an error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from fanin.report.findings.format import Format
from fanin.report.findings.places import place_of
from fanin.rules.report import Verdict
from fanin.rules.rule import Severity
from fanin.rules.table import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.rules.report import Report
    from fanin.rules.rule import Finding, Rule

FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
"""What XML 1.0 cannot hold at all, not even escaped (section 2.2)."""


def junit(report: Report) -> str:
    """Give one suite: a case for the check itself and one for each rule.

    Errors and warnings are failures.

    >>> from fanin.rules import Coverage, Report, Verdict
    >>> cover = Coverage(asked=("FAN101",))
    >>> text = junit(Report(verdict=Verdict.HEALTHY, coverage=cover))
    >>> '<testcase classname="fanin.FAN1" name="FAN101 never-moves"' in text
    True
    """
    rules = sorted(RULES.values(), key=lambda rule: rule.code)
    cases = [_whole(report), *(_case(rule, report) for rule in rules)]
    counts = {
        "tests": len(cases),
        "failures": sum("<failure" in case for case in cases),
        "errors": sum("<error" in case for case in cases),
        "skipped": sum("<skipped" in case for case in cases),
    }
    totals = "".join(f' {name}="{count}"' for name, count in counts.items())
    named = attribute(f"fanin check {report.target}".strip())
    properties = "".join(
        f"<property name={attribute(name)} value={attribute(value)}/>"
        for name, value in (
            ("verdict", report.verdict.value),
            ("summary", report.summary),
            ("framework", report.framework),
        )
    )
    said = "".join(f"{text}\n" for text in report.notes)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="fanin"{totals} time="0">\n'
        f'<testsuite name={named}{totals} time="0">\n'
        f"<properties>{properties}</properties>\n"
        f"{''.join(cases)}"
        f"<system-out>{content(said)}</system-out>\n"
        "</testsuite>\n</testsuites>\n"
    )


def _whole(report: Report) -> str:
    """Give the case that says whether there was a check at all."""
    head = '<testcase classname="fanin" name="the model was checked" time="0"'
    if report.verdict is not Verdict.NOT_CHECKED:
        return f"{head}/>\n"
    said = attribute(f"{report.verdict}: {report.summary}.")
    return f'{head}><error message={said} type="not checked"/></testcase>\n'


def _case(rule: Rule, report: Report) -> str:
    found = [f for f in report.findings if f.code == rule.code]
    head = (
        f'<testcase classname="fanin.{rule.code[:4]}" '
        f'name={attribute(f"{rule.code} {rule.name}")} time="0"'
    )
    first = next((p for f in found if (p := place_of(f, report)) is not None), None)
    if first is not None:
        head += f' file={attribute(first.file)} line="{first.line}"'
    inner = _outcome(rule, found, report)
    return f"{head}>{inner}</testcase>\n" if inner else f"{head}/>\n"


def _outcome(rule: Rule, found: Sequence[Finding], report: Report) -> str:
    faults = [f for f in found if f.severity is not Severity.INFO]
    notes = [f for f in found if f.severity is Severity.INFO]
    said = "\n\n".join(_words(f, report) for f in notes)
    after = f"<system-out>{content(said)}</system-out>" if said else ""
    if faults:
        worst = min(faults, key=lambda f: f.severity.rank)
        message = f"{worst.where}: {worst.message}"
        text = "\n\n".join(_words(f, report) for f in faults)
        return (
            f"<failure message={attribute(message)} "
            f"type={attribute(worst.severity.value)}>{content(text)}</failure>{after}"
        )
    if rule.code not in report.coverage.asked and not found:
        reason = "could not be asked" if _is_chosen(rule, report) else "not selected"
        return f"<skipped message={attribute(reason)}/>"
    return after


def _is_chosen(rule: Rule, report: Report) -> bool:
    is_unasked = rule.code in report.coverage.unasked
    return is_unasked or report.verdict is Verdict.NOT_CHECKED


def _words(finding: Finding, report: Report) -> str:
    place = place_of(finding, report)
    lines = (
        f"{finding.severity.value} ({finding.evidence.value}) {finding.where}",
        finding.message,
        finding.measured and f"measured: {finding.measured}",
        finding.expected and f"expected: {finding.expected}",
        finding.why and f"why: {finding.why}",
        finding.fix and f"fix: {finding.fix}",
        "" if place is None else f"at {place}  {place.text}".rstrip(),
    )
    return "\n".join(line for line in lines if line)


def attribute(text: str) -> str:
    r"""Give a quoted attribute; control characters, which XML has no form of, as �.

    >>> attribute('a < "b"\x07')
    '\'a &lt; "b"�\''
    """
    return quoteattr(FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))


def content(text: str) -> str:
    """Give the text of an element."""
    return escape(FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))


FORMAT = Format(
    name="junit",
    summary="JUnit XML, a case a rule",
    write=lambda report, _: junit(report),
    suffixes=(".xml",),
)
