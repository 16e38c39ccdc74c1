"""Findings as HTML: what, where, measured beside expected, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fanin.report.page import Html, inline, number, table
from fanin.report.svg import interval_picture
from fanin.rules.rule import Severity
from fanin.rules.table import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    body = "".join(_parts(links, order, finding))
    about = _about(finding) if has_rule and links.is_page else ""
    kind = NOTICES[finding.severity]
    return f'<article class="finding {kind}"{anchor}>{title}{body}{about}</article>'


def _parts(links: Links, order: int, finding: Finding) -> Iterator[str]:
    """Yield what one finding says, most important first."""
    yield f'<p class="where">{_where(links, order, finding)}</p>'
    yield f"<p>{inline(finding.message)}</p>"
    yield _source(finding)
    yield _numbers(finding)
    said = [
        (name, text)
        for name, text in (("Why", finding.why), ("What to do", finding.fix))
        if text
    ]
    yield "".join(
        f"<p><strong>{name}.</strong> {inline(text)}</p>" for name, text in said
    )
    yield _code(finding, links.report)
    if len(finding.paths) > 1:
        names = ", ".join(f"<code>{inline(path)}</code>" for path in finding.paths)
        yield (
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
    """Give code that draws again what would mend it; none where no draw can."""
    paths = finding.mended_by
    if not paths or finding.severity is Severity.INFO:
        return ""
    few = len(paths) <= MOST_LISTED
    only = f", only=[{', '.join(repr(p) for p in paths)}]" if few else ""
    if report.framework == "jax":
        code = (
            f"plan = fanin.plan(model, batch{only})\nmodel = fanin.apply(plan, model)"
        )
    else:
        code = f"fanin.init(model, batch{only})"
    return f"<pre><code>{inline(code)}</code></pre>"


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
    rows = [(f.code, f.where, f.message) for f in report.consequences]
    shown = table(["rule", "where", "what"], rows)
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
