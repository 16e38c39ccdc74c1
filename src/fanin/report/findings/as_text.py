"""A report in the terminal, for a reader."""

from __future__ import annotations

import io
from math import isfinite
from typing import TYPE_CHECKING

from fanin.report.findings.format import Format
from fanin.rules.rule import Severity
from fanin.rules.summary import plural
from fanin.rules.words import number

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from fanin.rules.report import Report
    from fanin.rules.rule import Finding

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
INDENT = 2


def full(report: Report, *, width: int = 88, is_coloured: bool = False) -> str:
    """Give every finding with its evidence, reason, place and remedy.

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
        for line in _details(finding, width - INDENT):
            _print_indented(console, line)
        console.print()
    for line in _closing(report):
        console.print(line)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join(lines)


def _print_indented(console: Console, line: Text) -> None:
    from rich.padding import Padding

    console.print(Padding(line, (0, 0, 0, INDENT)), soft_wrap=False)


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


def _details(finding: Finding, width: int) -> list[Text]:
    """Give the lines under the headline; empty fields are left out."""
    from rich.text import Text

    lines = [Text(finding.message)]
    for label, text in (
        ("measured", _measured(finding)),
        ("expected", _expected(finding)),
        ("why", finding.why),
    ):
        if text:
            lines.append(Text.assemble((f"{label}: ", "dim"), text))
    if finding.location is not None or finding.source:
        lines.append(_place(finding, width))
    more = f"fanin rule {finding.code}"
    remedy = f"{finding.fix.rstrip('.')}; {more}" if finding.fix else more
    lines.append(Text.assemble(("help: ", "dim"), remedy))
    return lines


def _measured(finding: Finding) -> str:
    """Give what was measured; the number behind it too, where the words lack it."""
    text, value = finding.measured, finding.value
    if value is None or number(value) in text or _is_count(finding):
        return text
    return f"{text} ({number(value)})" if text else number(value)


def _expected(finding: Finding) -> str:
    """Give what was expected, and from where to where the number may lie."""
    text, interval = finding.expected, finding.interval
    if interval is None or _is_count(finding) or _is_said(text, interval):
        return text
    low, high = (number(end) for end in interval)
    return f"{text} [{low}, {high}]".lstrip()


def _is_said(text: str, interval: tuple[float, float]) -> bool:
    """Say whether the words name each end that is a bound, and not just 0, 1 or ∞."""
    ends = [end for end in interval if isfinite(end) and end not in {0.0, 1.0}]
    if not ends:
        return any(character.isdigit() for character in text)
    return all(number(end) in text for end in ends)


def _is_count(finding: Finding) -> bool:
    """Say whether the number only counts what should not be: the words do that too."""
    interval = finding.interval
    return interval is not None and interval[0] == interval[1]


def _place(finding: Finding, width: int) -> Text:
    """Give "--> net.py:23   self.fc = nn.Linear(2, 3)", cut to one line."""
    from rich.text import Text

    location = finding.location
    if location is None:
        return Text.assemble(("--> ", "dim"), finding.source or "")
    how = "" if location.kind == "constructs" else f" ({location.kind} it)"
    place = Text.assemble(("--> ", "dim"), f"{location}{how}")
    rest = width - place.cell_len - 3
    if location.text and rest >= 12:
        code = location.text
        code = code if len(code) <= rest else f"{code[: rest - 1]}…"
        place.append(f"   {code}", style="dim")
    return place


def _closing(report: Report) -> list[Text]:
    from rich.text import Text

    worst = min(
        (f.severity for f in report.findings), default=None, key=lambda s: s.rank
    )
    style = "bold green" if worst in {None, Severity.INFO} else STYLES[worst]
    lines = [Text(str(report.verdict), style=style), Text(report.summary)]
    if report.consequences:
        codes = ", ".join(sorted({finding.code for finding in report.consequences}))
        lines.append(Text(f"follows from the above, not listed: {codes}", style="dim"))
    if report.coverage.unasked:
        codes = ", ".join(report.coverage.unasked)
        lines.append(
            Text(f"not asked, for want of what they need: {codes}", style="dim")
        )
    n_mendable = len(report.mendable)
    if n_mendable:
        verb = "is" if n_mendable == 1 else "are"
        how = "fanin check … --fix -o FILE, or report.fix(model)"
        lines.append(
            Text(f"{plural(n_mendable, 'finding')} {verb} mended by a new draw: {how}")
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
