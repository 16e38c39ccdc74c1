"""A report in the terminal, for a reader."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from fanin.report.findings.format import Format
from fanin.rules.rule import Severity

if TYPE_CHECKING:
    from rich.text import Text

    from fanin.rules.report import Report
    from fanin.rules.rule import Finding

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
INDENT = 2


def full(report: Report, *, width: int = 88, is_coloured: bool = False) -> str:
    """Give every finding with its evidence, reason and remedy.

    Args:
        report: of a check.
        width: columns of the terminal; longer lines are wrapped and indented.
        is_coloured: with ANSI colours, for a terminal that shows them.

    >>> from fanin.rules import Report, Verdict
    >>> print(full(Report(verdict=Verdict.HEALTHY)))
    healthy for this batch
    nothing found in 0 parameters, 0 sites, 0 rules
    """
    from rich.console import Console
    from rich.padding import Padding

    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=is_coloured,
        color_system="standard" if is_coloured else None,
        highlight=False,
        emoji=False,
        markup=False,
    )
    for note in report.notes:
        console.print(note, style="dim")
    if report.notes:
        console.print()
    for finding in report.findings:
        console.print(_headline(finding))
        for line in _details(finding):
            console.print(Padding(line, (0, 0, 0, INDENT)), soft_wrap=False)
        console.print()
    for line in _closing(report):
        console.print(line)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join(lines)


def _headline(finding: Finding) -> Text:
    from rich.text import Text

    style = STYLES[finding.severity]
    return Text.assemble(
        (f"{finding.code} {finding.name}", style),
        "  ",
        (finding.where, "bold"),
        "  ",
        (f"{finding.severity} · {finding.evidence}", style),
    )


def _details(finding: Finding) -> list[Text]:
    """Give the lines under the headline; empty fields are left out."""
    from rich.text import Text

    lines = [Text(finding.message)]
    for label, text in (
        ("measured", finding.measured),
        ("expected", finding.expected),
        ("why", finding.why),
        ("fix", finding.fix),
        ("-->", finding.source),
    ):
        if text:
            lines.append(
                Text.assemble((f"{label}: " if label != "-->" else "--> ", "dim"), text)
            )
    lines.append(Text(f"more: fanin rule {finding.code}", style="dim"))
    return lines


def _closing(report: Report) -> list[Text]:
    from rich.text import Text

    worst = min(
        (f.severity for f in report.findings), default=None, key=lambda s: s.rank
    )
    style = "bold green" if worst in {None, Severity.INFO} else STYLES[worst]
    lines = [Text(str(report.verdict), style=style), Text(report.summary)]
    if report.consequences:
        codes = sorted({finding.code for finding in report.consequences})
        lines.append(
            Text(f"follows from the above, not listed: {', '.join(codes)}", style="dim")
        )
    return lines


FORMAT = Format(
    name="text",
    summary="every finding with its evidence, reason and remedy",
    write=lambda report, look: full(
        report, width=look.width, is_coloured=look.is_coloured
    ),
    suffixes=(".txt",),
)
