"""A report as the message of a failed test: worst first, forty lines at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.rules import Finding, Report

MOST_LINES: Final = 40
CLOSING_LINES: Final = 2
"""Kept free for what else was found, and for how to look a rule up."""

SHORT: Final = 2
"""Lines of a finding that is shown without its evidence."""


def message_of(report: Report, failing: Sequence[Finding]) -> str:
    """Give the verdict and the findings that fail, as much as forty lines hold.

    Args:
        report: of a check.
        failing: those of its findings that fail the test, worst first.

    >>> from fanin.rules import Report, Verdict
    >>> print(message_of(Report(verdict=Verdict.NOT_CHECKED), ()))
    not checked: nothing found in 0 parameters, 0 sites, 0 rules.
    """
    lines = [f"{report.verdict}: {report.summary}.", *report.notes[:3]]
    left = list(failing)
    while left:
        room = MOST_LINES - CLOSING_LINES - len(lines)
        shown = _full(left[0])
        is_first = len(left) == len(failing)
        if not is_first and len(shown) + SHORT * (len(left) - 1) > room:
            shown = shown[:SHORT]
        if len(shown) > room:
            break
        lines += shown
        del left[0]
    lines += _closing(report, failing, left)
    return "\n".join(lines)


def _full(finding: Finding) -> list[str]:
    kind = f"{finding.severity}, {finding.evidence}"
    lines = [f"{finding.code} {finding.name} ({kind})  {finding.where}"]
    texts = (
        ("", finding.message),
        ("measured: ", finding.measured),
        ("expected: ", finding.expected),
        ("why: ", finding.why),
        ("fix: ", finding.fix),
        ("--> ", str(finding.location or finding.source or "")),
    )
    # A text of several lines would break the count: it becomes one.
    lines += [f"  {label}{' '.join(text.split())}" for label, text in texts if text]
    return lines


def _closing(
    report: Report, failing: Sequence[Finding], left: Sequence[Finding]
) -> list[str]:
    lines = []
    n_others = len(report.findings) - len(failing)
    if left or (n_others and failing):
        parts = [f"{len(left)} more of these"] * bool(left)
        parts += [f"{n_others} that do not fail this test"] * bool(n_others)
        lines.append(f"Not shown: {' and '.join(parts)}.")
    if failing:
        lines.append(f"More about a rule: fanin rule {failing[0].code}")
    return lines
