"""A report for code scanners: SARIF 2.1.0.

All rules are listed and ``results`` is there even when empty, so that a scanner can
close what it had open. Fingerprints hold the rule and the parameters and no numbers:
a finding keeps its name when the measured value moves.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from fanin.report.findings.format import Format
from fanin.report.findings.places import is_relative, place_of, uri_of
from fanin.report.findings.rule_page import summary
from fanin.rules.as_json import number_to
from fanin.rules.report import Verdict
from fanin.rules.rule import Severity
from fanin.rules.table import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fanin.rules.location import Location
    from fanin.rules.report import Report
    from fanin.rules.rule import Finding, Rule
    from fanin.rules.suppressed import Suppressed

VERSION: Final = "2.1.0"
SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
    "sarif-schema-2.1.0.json"
)
LEVELS: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}
ROOT: Final = "%SRCROOT%"


def sarif(report: Report) -> str:
    """Give a SARIF log of one run.

    >>> from fanin.rules import Report, Verdict
    >>> log = json.loads(sarif(Report(verdict=Verdict.HEALTHY)))
    >>> log["version"], log["runs"][0]["results"]
    ('2.1.0', [])
    """
    rules = sorted(RULES.values(), key=lambda rule: rule.code)
    order = {rule.code: place for place, rule in enumerate(rules)}
    seen: Counter[str] = Counter()
    results = [
        _result(finding, report, order, _numbered(finding, report.target, seen))
        for finding in report.findings
    ]
    results += [
        {
            **_result(
                each.finding,
                report,
                order,
                _numbered(each.finding, report.target, seen),
            ),
            "suppressions": [_suppression(each)],
        }
        for each in report.suppressed
    ]
    run = {
        "tool": {"driver": _driver(rules)},
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "verdict": report.verdict.value,
            "summary": report.summary,
            "target": report.target,
            "framework": report.framework,
        },
    }
    log = {"version": VERSION, "$schema": SCHEMA, "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False, allow_nan=False)


def _driver(rules: Iterable[Rule]) -> dict[str, Any]:
    import fanin

    return {
        "name": "fanin",
        "version": fanin.__version__,
        "semanticVersion": fanin.__version__,
        "rules": [_rule(rule) for rule in rules],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    _, _, text = rule.page.partition("\n")
    said = summary(rule)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": said},
        "fullDescription": {"text": said},
        "help": {"text": text.strip(), "markdown": text.strip()},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "tags": [rule.family],
            "problem.severity": "recommendation"
            if rule.severity is Severity.INFO
            else rule.severity.value,
        },
    }


def _invocation(report: Report) -> dict[str, Any]:
    """Say how the check went; what was not checked must not look clean."""
    notes = [{"level": "note", "message": {"text": text}} for text in report.notes]
    if report.coverage.unasked:
        codes = ", ".join(report.coverage.unasked)
        text = f"These rules could not be asked: {codes}."
        notes.append({"level": "warning", "message": {"text": text}})
    return {
        "executionSuccessful": report.verdict is not Verdict.NOT_CHECKED,
        "toolExecutionNotifications": notes,
    }


def _result(
    finding: Finding, report: Report, order: dict[str, int], fingerprint: str
) -> dict[str, Any]:
    level, parts = LEVELS[finding.severity], tuple(_sentences(finding))
    known = {"ruleIndex": order[finding.code]} if finding.code in order else {}
    return {
        "ruleId": finding.code,
        **known,
        "level": level,
        "kind": "fail",
        "message": {"text": " ".join(parts)},
        "locations": [_location(finding, place_of(finding, report))],
        "partialFingerprints": {"fanin/v2": fingerprint},
        "properties": {
            "evidence": finding.evidence.value,
            "where": finding.where,
            "measured": finding.measured,
            "expected": finding.expected,
            "value": number_to(finding.value),
            "interval": None
            if finding.interval is None
            else [number_to(end) for end in finding.interval],
            "parameters": list(finding.paths),
        },
    }


def _sentences(finding: Finding) -> Iterator[str]:
    """Yield what was found, what was measured and what to do, as whole sentences."""
    yield f"{finding.where}: {finding.message}"
    if finding.measured:
        yield f"Measured: {finding.measured}."
    if finding.expected:
        yield f"Expected: {finding.expected}."
    yield from (text for text in (finding.why, finding.fix) if text)


def _location(finding: Finding, place: Location | None) -> dict[str, Any]:
    names = finding.paths or (finding.where,)
    logical = [{"fullyQualifiedName": name, "kind": "parameter"} for name in names]
    if place is None:
        return {"logicalLocations": logical}
    region: dict[str, Any] = {
        "startLine": place.line,
        "startColumn": max(place.column, 1),
    }
    if place.text:
        region["snippet"] = {"text": place.text}
    base = {"uriBaseId": ROOT} if is_relative(place.file) else {}
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri_of(place.file), **base},
            "region": region,
        },
        "logicalLocations": logical,
    }


def _numbered(finding: Finding, target: str, seen: Counter[str]) -> str:
    """Give the fingerprint, and tell equal ones apart by their order."""
    mark = fingerprint(finding, target)
    seen[mark] += 1
    return f"{mark}:{seen[mark]}"


def fingerprint(finding: Finding, target: str) -> str:
    """Give a name of a finding that holds no number that was measured.

    Args:
        finding: its rule and its parameters are in the name.
        target: what was checked, the model's class: two models of one file may have
            parameters of the same paths.

    >>> from fanin.rules import Finding, Severity
    >>> finding = Finding(
    ...     code="FAN801",
    ...     name="non-finite-value",
    ...     severity=Severity.ERROR,
    ...     where="0.weight",
    ...     message="1 of its 6 numbers is NaN.",
    ... )
    >>> fingerprint(finding, "Net")
    'b432d57ab1da2315'
    """
    parts = (finding.code, target, *(finding.paths or (finding.where,)))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _suppression(each: Suppressed) -> dict[str, Any]:
    kind = "inSource" if each.by == "comment" else "external"
    words = each.reason or f"set aside by a {each.by}"
    return {"kind": kind, "status": "accepted", "justification": words}


FORMAT = Format(
    name="sarif",
    summary="SARIF 2.1.0, for code scanners",
    write=lambda report, _: sarif(report),
    suffixes=(".sarif", ".sarif.json"),
)
