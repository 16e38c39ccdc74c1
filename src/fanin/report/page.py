"""The one-file HTML frame: header, landmarks, sections, figures beside their numbers.

A page needs no JavaScript, no font and no host: its Content-Security-Policy forbids
all three, so a browser proves it; one small script may be let in, by its hash. Light
and dark follow the reader's system, print lays everything in one column and opens what
is folded. Every figure has a caption that states its finding, and a table of its
numbers.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class Html(str):
    """Text that is HTML already; every other text is escaped before it is shown."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Section:
    """One part of a page: a heading of level 2 and what stands under it.

    title: plain text. body: HTML. anchor: the fragment that links to it; made from the
    title where empty.

    >>> Section(title="What was measured", body="").link
    'what-was-measured'
    """

    title: str
    body: str
    anchor: str = ""

    @property
    def link(self) -> str:
        """Give the fragment that links to this section."""
        words = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")
        return self.anchor or words or "section"


def inline(text: object) -> str:
    """Give a text as HTML: escaped, unless it is ``Html``.

    >>> inline("a < b"), inline(Html("<b>a</b>"))
    ('a &lt; b', '<b>a</b>')
    """
    return str(text) if isinstance(text, Html) else html.escape(str(text))


def number(value: float, digits: int = 3) -> str:
    """Give a number as a reader wants it: short, and 0 only where it is exactly 0.

    >>> number(0.0), number(0.97349), number(4.4e-10), number(float("nan"))
    ('0', '0.973', '4.4·10⁻¹⁰', 'NaN')
    >>> number(-12345.6), number(2e19)
    ('−12,346', '2·10¹⁹')
    """
    if value != value:
        return "NaN"
    if abs(value) == float("inf"):
        return "∞" if value > 0 else "−∞"
    if 10 ** (digits - 1) <= abs(value) < 10**6:
        return f"{value:,.0f}".replace("-", "−")
    if value == 0 or 1e-3 <= abs(value) < 10 ** (digits - 1):
        return f"{value:.{digits}g}".replace("-", "−")
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}·10{raised}".replace("-", "−")


def cell(value: object) -> str:
    """Give one table cell; numbers are set so that their digits align."""
    if isinstance(value, bool) or value is None:
        return f"<td>{'yes' if value else '–'}</td>"
    if isinstance(value, float):
        return f'<td class="number">{number(value)}</td>'
    if isinstance(value, int):
        return f'<td class="number">{value}</td>'
    return f"<td>{inline(value)}</td>"


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    caption: str = "",
) -> str:
    """Give a table in a box that scrolls sideways on a narrow screen.

    Args:
        head: the columns' names.
        rows: cells of each row; the first one names the row. Numbers are formatted and
            aligned, text is escaped, ``Html`` is left as it is.
        caption: what the table shows; read out before it.
    """
    names = "".join(f'<th scope="col">{inline(name)}</th>' for name in head)
    lines = [
        f'<tr><th scope="row">{inline(_plain(first))}</th>'
        f"{''.join(map(cell, rest))}</tr>"
        for first, *rest in rows
    ]
    shown = f"<caption>{inline(caption)}</caption>" if caption else ""
    label = html.escape(re.sub(r"<[^>]+>", "", caption) or ", ".join(head))
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">'
        f"<table>{shown}<thead><tr>{names}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _plain(value: object) -> object:
    return number(value) if isinstance(value, float) else value


def figure(
    *drawings: str,
    caption: str,
    numbers: str = "",
    summary: str = "Show the numbers",
) -> str:
    """Give a figure: drawings side by side, the finding, the numbers folded away.

    Args:
        drawings: SVG or other HTML; they wrap under one another on a narrow screen.
        caption: the finding, in a sentence.
        numbers: HTML of the table that holds what is drawn.
        summary: the line that unfolds the table.
    """
    folded = (
        f"<details><summary>{inline(summary)}</summary>{numbers}</details>"
        if numbers
        else ""
    )
    return (
        f'<figure><div class="drawings">{"".join(drawings)}</div>'
        f"<figcaption>{inline(caption)}</figcaption>{folded}</figure>"
    )


MARKS = {"good": "✓", "bad": "✗", "warning": "!", "note": "i"}


def notice(kind: str, text: str) -> str:
    """Give a boxed statement. ``kind``: "good", "bad", "warning" or "note".

    The mark says the same as the colour, so that colour is never alone.
    """
    return (
        f'<p class="notice {kind}"><span class="mark" aria-hidden="true">{MARKS[kind]}'
        f"</span><span>{inline(text)}</span></p>"
    )


def remarks(entries: Sequence[tuple[str, str]]) -> str:
    """Give a list of statements, each with a kind as in `notice`, unboxed."""
    items = "".join(
        f'<li class="{kind}"><span class="mark" aria-hidden="true">{MARKS[kind]}</span>'
        f"<span>{inline(text)}</span></li>"
        for kind, text in entries
    )
    return f'<ul class="remarks">{items}</ul>' if entries else ""


def stylesheet() -> str:
    """Give the CSS of every page and notebook output; colours are its variables."""
    return files("fanin.report").joinpath("page.css").read_text(encoding="utf-8")


def fragment(body: str) -> str:
    """Give HTML for a notebook cell: the page's styles, kept to this one box."""
    return f'<div class="fanin"><style>{stylesheet()}</style>{body}</div>'


def page(
    *,
    title: str,
    sections: Sequence[Section],
    lead: str = "",
    footer: str = "",
    data: Mapping[str, object] | None = None,
    script: str = "",
) -> str:
    """Give a whole HTML document.

    Args:
        title: of the window and of the one heading of level 1.
        sections: in order; with three or more, a list of links leads to them.
        lead: HTML under the heading: what was found, in a paragraph.
        footer: HTML at the end: how it was made, versions.
        data: embedded as JSON, so that the page can be read back by a program.
        script: what makes the page handier; without it all must be readable. The
            policy lets in these very bytes and no others.
    """
    links = "".join(
        f'<li><a href="#{part.link}">{inline(part.title)}</a></li>' for part in sections
    )
    contents = f'<nav aria-label="Contents"><ul>{links}</ul></nav>'
    body = "".join(
        f'<section aria-labelledby="{part.link}"><h2 id="{part.link}">'
        f"{inline(part.title)}</h2>{part.body}</section>"
        for part in sections
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{inline(title)}</title><style>{stylesheet()}</style></head>"
        '<body class="fanin"><a class="skip" href="#content">Skip to the content</a>'
        f'<header><p class="brand">fanin</p><h1>{inline(title)}</h1>'
        f"{lead}{contents if len(sections) > 2 else ''}</header>"
        f'<main id="content">{body}</main><footer>{footer}</footer>'
        f"{_embedded(data)}{_script(script)}</body></html>\n"
    )


def _policy(script: str) -> str:
    """Give the policy; a script is let in by its hash (CSP level 2)."""
    if not script:
        return POLICY
    mark = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"{POLICY}; script-src 'sha256-{mark}'"


def _script(script: str) -> str:
    return f"<script>{script}</script>" if script else ""


def _embedded(data: Mapping[str, object] | None) -> str:
    """Give the data as a JSON block: not a script, no engine runs it."""
    if data is None:
        return ""
    close = (",", ":")
    text = json.dumps(data, ensure_ascii=False, separators=close).replace(
        "<", "\\u003c"
    )
    return f'<script type="application/json" id="fanin-data">{text}</script>'
