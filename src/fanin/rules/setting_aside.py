"""Set findings aside: what somebody knows of, and does not want to be told again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from fanin.rules.report import Report, verdict_of
from fanin.rules.suppressed import Suppressed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fanin.rules.rule import Finding

Decide = Callable[["Finding"], "Suppressed | None"]
"""Says of a finding who sets it aside; None where nobody does."""


def set_aside(report: Report, deciders: Sequence[Decide]) -> Report:
    """Move the findings that somebody sets aside, and judge by what is left.

    The first who speaks is named. A finding that a suppressed one explained stays a
    consequence: its cause is known. The verdict is of the findings that are left, and
    the report's summary says how many were set aside.
    """
    kept: list[Finding] = []
    aside: list[Suppressed] = []
    for finding in report.findings:
        said = (decide(finding) for decide in deciders)
        found = next((each for each in said if each is not None), None)
        if found is None:
            kept.append(finding)
        else:
            aside.append(found)
    cover = report.coverage
    has_run = cover.n_sites > 0 and cover.n_rules > 0
    return replace(
        report,
        findings=tuple(kept),
        suppressed=(*report.suppressed, *aside),
        verdict=verdict_of(tuple(kept), has_run=has_run),
    )


def means(word: str, finding: Finding) -> bool:
    """Say whether a code, a name or the beginning of a code means a finding's rule."""
    return finding.code.startswith(word.upper()) or finding.name == word.lower()


def by_pattern(ignores: Mapping[str, Iterable[str]]) -> Decide:
    """Set aside by pattern of parameters: every one concerned must fit a pattern.

    Args:
        ignores: pattern, as the shell's ("head.*"), of parameters or of what a finding
            names as its place → codes, names or beginnings of codes.
    """
    table = {pattern: tuple(codes) for pattern, codes in ignores.items()}

    def decide(finding: Finding) -> Suppressed | None:
        patterns = [
            pattern
            for pattern, codes in table.items()
            if any(means(code, finding) for code in codes)
        ]
        names = finding.paths or (finding.where,)
        is_covered = all(
            any(fnmatchcase(name, pattern) for pattern in patterns) for name in names
        )
        is_place = " " not in finding.where  # one layer's name, not a list of several
        is_named = is_place and any(fnmatchcase(finding.where, p) for p in patterns)
        if not patterns or not (is_covered or is_named):
            return None
        reason = f"ignored for {', '.join(patterns)}"
        return Suppressed(finding=finding, by="config", reason=reason)

    return decide
