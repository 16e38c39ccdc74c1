"""Findings as HTML: what, where, measured beside expected, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fanin.report.page import Html, inline, number, table
from fanin.report.svg import interval_picture
from fanin.rules.rule import Severity
from fanin.rules.table import RULES
from fanin.rules.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.report.findings.links import Links
    from fanin.rules.report import Report
    from fanin.rules.rule import Finding

NOTICES: Final = {
    Severity.ERROR: "bad",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}
MARKS: Final = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.INFO: "i"}
DOING: Final = {"constructs": "built", "defines": "defined", "runs": "run"}
MOST_LINKS: Final = 12
MOST_LISTED: Final = 8
"""Parameters named in code to paste: of more, all are drawn again."""


def cards(links: Links, *, level: int = 3) -> str:
    """Give every finding as an article, then what follows and what was set aside.

    Args:
        links: of the report.
        level: of the headings.
    """
    report, explained = links.report, set[str]()
    parts = []
    for order, finding in enumerate(report.findings):
        is_new = finding.code not in explained
        explained.add(finding.code)
        parts.append(_card(links, order, finding, level=level, has_rule=is_new))
    if not report.findings:
        parts.append("<p>Nothing was found.</p>")
    parts += [_consequences(report), _suppressed(report)]
    return "".join(parts)


def _card(
    links: Links, order: int, finding: Finding, *, level: int, has_rule: bool
) -> str:
    mark = f'<span class="mark" aria-hidden="true">{MARKS[finding.severity]}</span>'
    anchor = f' id="finding-{order + 1}"' if links.is_page else ""
    title = (
        f"<h{level}>{mark}<span>{inline(finding.code)} {inline(finding.name)} "
        f'<span class="quiet">{inline(finding.severity)}, '
        f"{inline(finding.evidence)}</span></span></h{level}>"
    )
    about = _about(finding) if has_rule and links.is_page else ""
    kind = NOTICES[finding.severity]
    body = _sides(links, order, finding, about)
    return f'<article class="finding {kind}"{anchor}>{title}{body}</article>'


def _sides(links: Links, order: int, finding: Finding, about: str) -> str:
    """Give what one finding says: words on one side, numbers and code on the other."""
    said = "".join(
        f"<p><strong>{name}.</strong> {inline(text)}</p>"
        for name, text in (("Why", finding.why), ("What to do", finding.fix))
        if text
    )
    words = (
        f'<p class="where">{_where(links, order, finding)}</p>'
        f"<p>{inline(finding.message)}</p>{said}{_parameters(finding)}{about}"
    )
    numbers = f"{_numbers(finding)}{_source(finding)}{_code(finding, links.report)}"
    return f'<div class="sides"><div>{words}</div><div>{numbers}</div></div>'


def _parameters(finding: Finding) -> str:
    """Give every parameter concerned, folded, where there are several."""
    if len(finding.paths) < 2:
        return ""
    names = ", ".join(f"<code>{inline(path)}</code>" for path in finding.paths)
    return (
        f"<details><summary>{len(finding.paths)} parameters</summary>"
        f"<p>{names}</p></details>"
    )


def _where(links: Links, order: int, finding: Finding) -> str:
    """Give the place in words, and links to the layers where they are others."""
    place = f"<strong><code>{inline(finding.where)}</code></strong>"
    layers = links.layers_of(order)
    if not layers or not links.is_page:
        return place
    shown = ", ".join(links.to_layer(i) for i in layers[:MOST_LINKS])
    left = len(layers) - MOST_LINKS
    more = f" and {left} more" if left > 0 else ""
    return f'{place} <span class="quiet">in the network: {shown}{more}</span>'


def _source(finding: Finding) -> str:
    place = finding.location
    if place is None:
        return f"<p><code>{inline(finding.source)}</code></p>" if finding.source else ""
    label = f'<span class="quiet">{DOING.get(place.kind, "seen")} at</span> '
    text = f"<pre><code>{inline(place.text)}</code></pre>" if place.text else ""
    return f"<p>{label}<code>{inline(place)}</code></p>{text}"


def _numbers(finding: Finding) -> str:
    """Give measured beside expected: in words, and as dot and band where known."""
    rows = [
        f"<div><dt>{name}</dt><dd>{inline(text)}</dd></div>"
        for name, text in (
            ("Measured", finding.measured),
            ("Expected", finding.expected),
        )
        if text
    ]
    words = f"<dl>{''.join(rows)}</dl>" if rows else ""
    if finding.value is None or finding.interval is None:
        return words
    drawn = interval_picture(finding.value, finding.interval, written=number)
    return f'{words}<div class="interval">{drawn}</div>'


def _code(finding: Finding, report: Report) -> str:
    """Give code that draws again the few parameters that would mend this one."""
    paths = finding.mended_by
    is_few = 0 < len(paths) <= MOST_LISTED and len(report.findings) > 1
    if not is_few or finding.severity is Severity.INFO:
        return ""
    only = f"only=[{', '.join(repr(path) for path in paths)}]"
    if report.framework == "jax":
        code = (
            f"plan = fanin.plan(model, batch, {only})\nmodel = fanin.apply(plan, model)"
        )
    else:
        code = f"fanin.init(model, batch, {only})"
    return f"<pre><code>{inline(code)}</code></pre>"


def remedy(report: Report) -> str:
    """Give the line that mends all that a draw can mend; "" where none can."""
    faults = (f for f in report.findings if f.severity is not Severity.INFO)
    paths = {path for finding in faults for path in finding.mended_by}
    if not paths:
        return ""
    return (
        f"<p>Draw again what is at fault ({count(len(paths), 'parameter')}), and check "
        "again:</p><pre><code>model = report.fix(model).model</code></pre>"
    )


def _about(finding: Finding) -> str:
    """Give the rule's own page, folded."""
    if finding.code not in {rule.code for rule in RULES.values()}:
        return ""  # read back from a report of another version
    _, _, text = RULES[finding.code].page.partition("\n")
    return (
        f"<details><summary>About {inline(finding.code)}</summary>"
        f"{prose(text)}</details>"
    )


def prose(text: str) -> str:
    r"""Give a rule's page, which is Markdown of headings, paragraphs and code, as HTML.

    >>> prose("## When\nSeldom,\nor `never`.\n\n    x = 0")
    '<p><strong>When.</strong> Seldom, or <code>never</code>.</p><pre>x = 0</pre>'
    """
    parts: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        head, block = "", paragraph
        if paragraph.startswith("## "):
            name, _, block = paragraph[3:].partition("\n")
            head = f"<strong>{inline(name)}.</strong> "
        if block.startswith("    "):
            lines = "\n".join(line[4:] for line in block.split("\n"))
            parts.append(f"<p>{head.strip()}</p>" if head else "")
            parts.append(f"<pre>{inline(lines)}</pre>")
        else:
            flat = inline(" ".join(block.split()))
            shown = re.sub(r"`([^`]+)`", r"<code>\1</code>", flat)
            parts.append(f"<p>{head}{_emphasis(shown)}</p>")
    return "".join(parts)


def _emphasis(shown: str) -> str:
    return re.sub(r"\*([^*\s][^*]*)\*", r"<em>\1</em>", shown)


def _consequences(report: Report) -> str:
    """Give the findings that others explain, folded."""
    if not report.consequences:
        return ""
    rows = [(f.code, f.where, f.message, f.measured) for f in report.consequences]
    shown = table(["rule", "where", "what", "measured"], rows)
    return (
        f"<details><summary>What follows from these ({len(rows)})</summary>"
        f"{shown}</details>"
    )


def _suppressed(report: Report) -> str:
    """Give the findings that were set aside, folded."""
    if not report.suppressed:
        return ""
    rows: Sequence[Sequence[object]] = [
        (s.finding.code, Html(f"<code>{inline(s.finding.where)}</code>"),
         s.finding.message, s.by, s.reason)
        for s in report.suppressed
    ]  # fmt: skip
    shown = table(["rule", "where", "what", "set aside by", "why"], rows)
    return f"<details><summary>Set aside ({len(rows)})</summary>{shown}</details>"
