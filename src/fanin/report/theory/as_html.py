"""The lesson as one page, or a notebook's output: figures beside the numbers."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from fanin.report import page
from fanin.report.derivation.mathml import mathml
from fanin.report.theory import figures
from fanin.report.theory.as_json import data_of
from fanin.report.theory.parts import parts_of
from fanin.report.theory.phase_figure import phase_figure, phase_key
from fanin.report.theory.summary import summary_of, title_of
from fanin.report.theory.words import short

if TYPE_CHECKING:
    from fanin.derivation.records import Formula
    from fanin.report.theory.part import Part
    from fanin.theory import Portrait

STYLE = (
    "<style>.fanin .formula{overflow-x:auto;overflow-y:hidden;padding:.15rem 0;"
    "margin:.15rem 0 .6rem}.fanin .single{max-width:34rem}</style>"
)


def page_of(portrait: Portrait) -> str:
    """Give the lesson as one self-contained HTML document."""
    return page.page(
        title=title_of(portrait),
        lead=STYLE + _lead(portrait),
        sections=_sections(portrait),
        data=data_of(portrait),
    )


def fragment_of(portrait: Portrait) -> str:
    """Give the lesson as the output of a notebook's cell."""
    body = "".join(
        f"<h3>{page.inline(part.title)}</h3>{part.body}" for part in _sections(portrait)
    )
    heading = f"<h2>{page.inline(title_of(portrait))}</h2>"
    return page.fragment(STYLE + heading + _lead(portrait) + body)


def _lead(portrait: Portrait) -> str:
    return f'<p class="lead">{page.inline(summary_of(portrait))}</p>'


def _sections(portrait: Portrait) -> list[page.Section]:
    drawn = _drawn(portrait)
    return [
        page.Section(title=part.title, body=_body(part, drawn.get(part.title, "")))
        for part in parts_of(portrait)
    ]


def _body(part: Part, drawn: str) -> str:
    formulas = "".join(map(_formula, part.formulas))
    rows = ""
    if part.table is not None:
        rows = page.table(part.table.head, part.table.rows)
    if part.title == "What this does not know":
        return page.remarks([("note", sentence) for sentence in part.text])
    text = "".join(f"<p>{page.inline(sentence)}</p>" for sentence in part.text)
    return formulas + drawn + text + rows


def _formula(formula: Formula) -> str:
    label = html.escape(formula.text)
    shown = re.sub(
        "<math ", f'<math aria-label="{label}" ', mathml(formula.latex), count=1
    )
    return f'<div class="formula">{shown}</div>'


def _drawn(portrait: Portrait) -> dict[str, str]:
    """Give the figures by the title of their part."""
    found = {
        "Second moments": _moments(portrait),
        "Gradients and depth": _gradients(portrait),
        "The edge of chaos": _phases(portrait),
    }
    if portrait.correlations:
        found["Correlations of two inputs"] = _correlations(portrait)
    return found


def _moments(portrait: Portrait) -> str:
    numbers = page.table(
        ("layer", *(f"from {short(q)}" for q in sorted(portrait.moments))),
        [
            (str(k + 1), *(portrait.moments[q][k] for q in sorted(portrait.moments)))
            for k in _few(portrait.depth + 1)
        ],
    )
    return figures.keys() + page.figure(
        figures.moment_map(portrait),
        figures.moments_by_layer(portrait),
        caption="Where the curve lies above the diagonal second moments grow with "
        "depth, where it lies below they shrink. It crosses the diagonal at a fixed "
        "point.",
        numbers=numbers,
    )


def _correlations(portrait: Portrait) -> str:
    starts = list(portrait.correlations)
    numbers = page.table(
        ("layer", *(f"from {c:g}" for c in starts)),
        [
            (str(k + 1), *(portrait.correlations[c][k] for c in starts))
            for k in _few(portrait.depth + 1)
        ],
    )
    return page.figure(
        figures.correlations(portrait),
        figures.correlations_by_layer(portrait),
        caption="The stairs are the layers: up to the curve, across to the diagonal. "
        "They end where curve and diagonal meet.",
        numbers=numbers,
    )


def _gradients(portrait: Portrait) -> str:
    numbers = page.table(
        ("layer", "E[δ²], last layer = 1"),
        [(str(k + 1), portrait.gradients[k]) for k in _few(portrait.depth)],
    )
    return page.figure(
        _single(figures.gradients_by_layer(portrait)),
        caption="A straight line is an exponential: ξ_∇ layers for each factor e.",
        numbers=numbers,
    )


def _phases(portrait: Portrait) -> str:
    return phase_key() + page.figure(
        _single(phase_figure(portrait)),
        caption=f"What depth leads to from q = {short(portrait.q)}. On the line "
        "χ₁ = 1 at a fixed point; where it is dashed that point repels, and the phase "
        "beside it is another point's.",
    )


def _single(drawing: str) -> str:
    """Give a drawing that stands alone, no wider than its letters bear."""
    return f'<div class="single">{drawing}</div>'


def _few(n: int) -> list[int]:
    """Give at most a dozen of the indices, the first and the last among them."""
    step = max(1, n // 11)
    return sorted({*range(0, n, step), n - 1})
