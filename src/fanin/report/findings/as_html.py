"""A report as HTML: a fragment for notebooks, and a page of its own.

The page shows the verdict and what was looked at, the signal through the network beside
theory, every finding with its place, units, histograms, and each site's numbers.
It needs no script; with one, tables sort and filter.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from fanin.report.findings.finding_cards import cards, remedy
from fanin.report.findings.format import Format
from fanin.report.findings.histogram_figures import histogram_figures
from fanin.report.findings.links import Links
from fanin.report.findings.signal_figures import signal_figure
from fanin.report.findings.unit_figures import unit_figures
from fanin.report.findings.weight_table import weight_table
from fanin.report.page import Html, Section, fragment, inline, notice, number, page
from fanin.rules.report import Verdict
from fanin.rules.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.report import Report

VERDICTS: Final = {
    Verdict.CANNOT_LEARN: "bad",
    Verdict.WILL_STRUGGLE: "warning",
    Verdict.HEALTHY: "good",
    Verdict.NOT_CHECKED: "note",
}
MOST_IN_NOTEBOOK: Final = 150_000
"""Bytes of a fragment: pictures that would make it larger are left to the page."""


def html(report: Report) -> str:
    """Give the report for a notebook cell, with the styles it needs.

    >>> from fanin.rules import Report, Verdict
    >>> "healthy for this batch" in html(Report(verdict=Verdict.HEALTHY))
    True
    """
    links = Links(report=report, is_page=False)
    said = body(report)
    if not links.rows:
        return fragment(said)
    for has_table in (True, False):
        shown = fragment(f"{said}{signal_figure(links, has_table=has_table)}")
        if len(shown.encode()) <= MOST_IN_NOTEBOOK:
            return shown
    hint = notice("note", "Too large for a notebook: report.save('report.html').")
    return fragment(f"{said}{hint}")


def body(report: Report) -> str:
    """Give verdict and findings without styles, to stand in a section of a page."""
    links = Links(report=report, is_page=False)
    return f"{_verdict(report)}{_coverage(report)}{remedy(report)}{cards(links)}"


def page_of(report: Report, *, title: str = "") -> str:
    """Give a whole HTML document, with the report's JSON embedded."""
    return page(
        title=title or f"Check of {report.target or 'a model'}",
        lead=lead_of(report),
        sections=sections_of(report),
        footer="<p>Made by fanin. Everything shown is in this file as JSON: "
        "<code>fanin report FILE --format json</code>.</p>",
        data=json.loads(report.to_json()),
        script=files("fanin.report.findings").joinpath("tables.js").read_text("utf-8"),
    )


def lead_of(report: Report) -> str:
    """Give the verdict, how much was looked at, and the remedy, for a page's head."""
    return f"{_verdict(report)}{_coverage(report)}{remedy(report)}"


def sections_of(report: Report) -> tuple[Section, ...]:
    """Give the parts of a page that links lead between: signal, findings and the rest.

    >>> from fanin.rules import Report, Verdict
    >>> [part.title for part in sections_of(Report(verdict=Verdict.HEALTHY))]
    ['Findings']
    """
    links = Links(report=report)
    sections = [Section(title="Findings", body=cards(links))]
    profile = report.profile
    if profile is not None and profile.rows:
        sections.insert(0, Section(title="Signal", body=signal_figure(links)))
        sections += [
            Section(title="Units", body=unit_figures(profile)),
            Section(title="Histograms", body=histogram_figures(profile)),
            Section(title="Weights", body=weight_table(profile)),
        ]
    return tuple(part for part in sections if part.body)


def _verdict(report: Report) -> str:
    words = f"<strong>{inline(report.verdict)}</strong>: {inline(report.summary)}."
    parts = [notice(VERDICTS[report.verdict], Html(words))]
    parts += [notice("note", note) for note in report.notes]
    return f'<div role="group" aria-label="Verdict">{"".join(parts)}</div>'


def _coverage(report: Report) -> str:
    """Give how much was looked at, as a list of facts."""
    items = "".join(
        f"<div><dt>{name}</dt><dd>{inline(text)}</dd></div>"
        for name, text in _facts(report)
    )
    return f'<dl class="facts">{items}</dl>' if items else ""


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    cover, profile = report.coverage, report.profile
    if cover.n_parameters:
        moving = f"{cover.n_reached} reached, {cover.n_moving} move at the first step"
        share = f"{cover.n_trainable} of {cover.n_parameters} trainable"
        yield "parameters", f"{share}, {moving}"
    if cover.n_nodes:
        yield "sites", f"{cover.n_sites} of {cover.n_nodes} measured"
    if cover.n_rules or cover.unasked:
        not_asked = ", ".join(cover.unasked)
        more = f"; not asked: {not_asked}" if not_asked else ""
        yield "rules", f"{count(cover.n_rules, 'rule')} asked{more}"
    if report.framework:
        yield "framework", report.framework
    if profile is not None and profile.batch_size:
        yield "batch", count(profile.batch_size, "sample")
    if profile is not None and profile.loss is not None:
        yield "first loss", number(profile.loss)


FORMAT = Format(
    name="html",
    summary="one page, readable offline",
    write=lambda report, _: page_of(report),
    suffixes=(".html", ".htm"),
)
