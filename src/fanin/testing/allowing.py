"""Which findings fail a test: those severe enough that no one has allowed."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError
from fanin.rules.judge import chosen_rules
from fanin.rules.rule import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.rules import Finding, Report

NEVER = "never"


def failing(
    report: Report, *, allow: Sequence[str] = (), fail_on: str = "warning"
) -> tuple[Finding, ...]:
    """Give the findings that should fail a test, worst first.

    Args:
        report: of a check.
        allow: codes ("FAN501"), names or beginnings ("FAN5") of what may be found;
            "FAN105:head.*" allows it where all parameters concerned fit the glob.
        fail_on: the least severity that fails: "error", "warning", "info" or "never".

    Raises:
        ArgumentError: if ``fail_on`` is no severity.
        UnknownNameError: if a word of ``allow`` fits no rule; it names the nearest.

    >>> from fanin.rules import Report, Verdict
    >>> failing(Report(verdict=Verdict.HEALTHY), allow=["FAN501"])
    ()
    """
    least = _rank(fail_on)
    permits = [_permit(word) for word in allow]
    return tuple(
        finding
        for finding in report.findings
        if finding.severity.rank <= least and not _is_permitted(finding, permits)
    )


def allowed(finding: Finding, allow: Sequence[str]) -> bool:
    """Say whether one of the words of ``allow`` speaks of this finding.

    >>> from fanin.rules import Finding, Severity
    >>> found = Finding(
    ...     code="FAN105",
    ...     name="constant-weight",
    ...     severity=Severity.WARNING,
    ...     where="head.weight",
    ...     message="",
    ...     paths=("head.weight",),
    ... )
    >>> allowed(found, ["FAN1"]), allowed(found, ["constant-weight:body.*"])
    (True, False)
    """
    return _is_permitted(finding, [_permit(word) for word in allow])


def _permit(word: str) -> tuple[frozenset[str], str]:
    rules, _, glob = word.partition(":")
    return frozenset(rule.code for rule in chosen_rules([rules], None)), glob


def _is_permitted(
    finding: Finding, permits: Sequence[tuple[frozenset[str], str]]
) -> bool:
    places = finding.paths or (finding.where,)
    return any(
        finding.code in codes
        and (not glob or all(fnmatchcase(place, glob) for place in places))
        for codes, glob in permits
    )


def _rank(fail_on: str) -> int:
    if fail_on == NEVER:
        return -1
    if fail_on not in list(Severity):
        expected = "'error', 'warning', 'info' or 'never'"
        raise ArgumentError.of(argument="fail_on", received=fail_on, expected=expected)
    return Severity(fail_on).rank
