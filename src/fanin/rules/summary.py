"""A report's counts in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Evidence, Severity

if TYPE_CHECKING:
    from fanin.rules.report import Coverage, Report

WORDS = ((Severity.ERROR, "error"), (Severity.WARNING, "warning"))


def summary_of(report: Report) -> str:
    """Give what was found, in how much, and how many findings were set aside.

    >>> from fanin.rules import Coverage, Report, Verdict
    >>> cover = Coverage(n_parameters=4, n_sites=5, n_rules=31)
    >>> summary_of(Report(verdict=Verdict.HEALTHY, coverage=cover))
    'nothing found in 4 parameters, 5 sites, 31 rules'
    """
    found = [
        plural(sum(f.severity is severity for f in report.findings), word)
        for severity, word in (*WORDS, (Severity.INFO, "note"))
        if any(f.severity is severity for f in report.findings)
    ]
    first = f"{', '.join(found) or 'nothing found'} in {covered(report.coverage)}"
    return f"{first}; {set_aside(report)}" if report.suppressed else first


def covered(cover: Coverage) -> str:
    """Give how much was looked at; parts only where they are not the whole.

    >>> from fanin.rules import Coverage
    >>> covered(Coverage(n_parameters=6, n_trainable=4, n_reached=3, n_nodes=2))
    '6 parameters (3 of 4 trainable ones reached), 0 of 2 sites, 0 rules'
    """
    parameters = plural(cover.n_parameters, "parameter")
    if cover.n_reached < cover.n_trainable and cover.n_nodes:
        parts = f"{cover.n_reached} of {cover.n_trainable} trainable ones reached"
        parameters = f"{parameters} ({parts})"
    sites = plural(cover.n_sites, "site")
    if cover.n_sites < cover.n_nodes:
        sites = f"{cover.n_sites} of {plural(cover.n_nodes, 'site')}"
    return f"{parameters}, {sites}, {plural(cover.n_rules, 'rule')}"


def set_aside(report: Report) -> str:
    """Give how many findings were set aside, and name those that would weigh most.

    A finding that proves that a part cannot learn changes the verdict when it is set
    aside; so it is named, and the change is not silent.
    """
    total = f"{len(report.suppressed)} suppressed"
    proved = sorted(
        {
            each.finding.code
            for each in report.suppressed
            if each.finding.severity is Severity.ERROR
            and each.finding.evidence is Evidence.PROVED
        }
    )
    return f"{total} (among them proved: {', '.join(proved)})" if proved else total


def plural(number: int, word: str) -> str:
    """Give "1 site", "2 sites".

    >>> plural(1, "site"), plural(0, "site")
    ('1 site', '0 sites')
    """
    return f"{number} {word}{'' if number == 1 else 's'}"
