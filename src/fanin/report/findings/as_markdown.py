"""A report for a comment on a pull request, or the summary of a job: Markdown."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from fanin.report.findings.format import Format
from fanin.report.page import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fanin.rules.profile import Profile
    from fanin.rules.report import Report
    from fanin.rules.rule import Finding

MOST_FINDINGS: Final = 40
MOST_ROWS: Final = 60
"""A comment holds 65,536 characters: the rest is counted, not listed."""


def markdown(report: Report) -> str:
    """Give the verdict, a table of findings, what to do, and sizes layer by layer.

    >>> from fanin.rules import Report, Verdict
    >>> print(markdown(Report(verdict=Verdict.HEALTHY)))
    ### fanin: healthy for this batch
    <BLANKLINE>
    Nothing found in 0 parameters, 0 sites, 0 rules.
    """
    said = f"{report.summary[:1].upper()}{report.summary[1:]}."
    parts = [f"### fanin: {report.verdict}", said]
    if report.target:
        parts[1] = f"{code(report.target)}: {report.summary}."
    parts += [f"> {text(note)}" for note in report.notes]
    if report.coverage.unasked:
        parts.append(f"Rules not asked: {', '.join(report.coverage.unasked)}.")
    if report.findings:
        parts.append(_overview(report))
        parts += [_finding(finding) for finding in report.findings[:MOST_FINDINGS]]
    left = len(report.findings) - MOST_FINDINGS
    if left > 0:
        parts.append(f"… and {left} more.")
    if report.suppressed:
        parts.append(f"Set aside: {len(report.suppressed)}.")
    if report.profile is not None and report.profile.trunk:
        parts.append(_sizes(report.profile))
    return "\n\n".join(parts)


def _overview(report: Report) -> str:
    head = ("", "rule", "where", "what")
    rows = (
        (
            finding.severity.value,
            f"{finding.code} {finding.name}",
            code(finding.where),
            text(finding.message),
        )
        for finding in islice(report.findings, MOST_FINDINGS)
    )
    return table(head, rows)


def _finding(finding: Finding) -> str:
    """Give what is behind one finding, folded."""
    place = finding.location
    lines = [
        f"- measured: {text(finding.measured)}" if finding.measured else "",
        f"- expected: {text(finding.expected)}" if finding.expected else "",
        f"- why: {text(finding.why)}" if finding.why else "",
        f"- fix: {text(finding.fix)}" if finding.fix else "",
        "" if place is None else f"- line: {code(f'{place}  {place.text}'.strip())}",
        f"- more: `fanin rule {finding.code}` ({finding.evidence})",
    ]
    name = html_text(f"{finding.code} {finding.name}: {finding.where}")
    body = "\n".join(line for line in lines if line)
    return f"<details><summary>{name}</summary>\n\n{body}\n\n</details>"


def _sizes(profile: Profile) -> str:
    """Give the signal along the trunk, folded."""
    head = (
        "layer",
        "kind",
        "root mean square",
        "theory",
        "between samples",
        "gradient",
    )
    rows = (
        (
            code(row.name),
            row.kind,
            *(
                "–" if size is None else number(size)
                for size in (row.forward, row.predicted, row.between, row.gradient)
            ),
        )
        for row in islice(profile.trunk, MOST_ROWS)
    )
    shown = table(head, rows)
    left = len(profile.trunk) - MOST_ROWS
    more = f"\n\n… and {left} more layers." if left > 0 else ""
    return (
        "<details><summary>Sizes, layer by layer</summary>\n\n"
        f"{shown}{more}\n\n</details>"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table; cells are Markdown already.

    >>> print(table(("a", "b"), [("1", "2")]))
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def code(words: str) -> str:
    """Give words in code type, fenced by more backticks than they hold.

    >>> code("net.0"), code("a`b")
    ('`net.0`', '`` a`b ``')
    """
    flat = " ".join(words.split()).replace("|", r"\|")
    longest = max(map(len, _ticks(flat)), default=0)
    if not longest:
        return f"`{flat}`"
    fence = "`" * (longest + 1)
    return f"{fence} {flat} {fence}"


def _ticks(words: str) -> Iterator[str]:
    return (found.group() for found in re.finditer("`+", words))


def text(words: str) -> str:
    r"""Give words on one line, with nothing left that Markdown or HTML would read.

    >>> text("a | <b> and *c*")
    'a \\| &lt;b&gt; and \\*c\\*'
    """
    flat = " ".join(words.split())
    return re.sub(r"([\\`*_|\[\]#~])", r"\\\1", html_text(flat))


def html_text(words: str) -> str:
    """Give words as HTML shows them."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


FORMAT = Format(
    name="markdown",
    summary="for a comment on a pull request",
    write=lambda report, _: markdown(report),
    suffixes=(".md",),
)
