"""A derivation as an HTML page or a notebook's output, formulas in MathML."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from fanin.report import page
from fanin.report.derivation.as_json import data_of
from fanin.report.derivation.diagram import network
from fanin.report.derivation.mathml import mathml
from fanin.report.derivation.terminal import KINDS, values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.derivation.records import (
        Claim,
        Derivation,
        Formula,
        ProofStep,
        Section,
        Step,
    )

STYLE = (
    "<style>.fanin .formula{overflow-x:auto;overflow-y:hidden;padding:.15rem 0;"
    "margin:.15rem 0 .6rem}.fanin .claim{margin:1.5rem 0 2rem}.fanin .claim .formula{"
    "margin-left:1rem}.fanin .claim ol{padding-left:1.4rem}.fanin .claim li{"
    "max-width:none}.fanin .claim li p{margin:0}</style>"
)


def page_of(derivation: Derivation) -> str:
    """Give the derivation as one self-contained HTML document."""
    return page.page(
        title=f"{derivation.case}: {derivation.title}",
        lead=STYLE + _lead(derivation),
        sections=_sections(derivation),
        data=data_of(derivation),
    )


def fragment_of(derivation: Derivation) -> str:
    """Give the derivation as the output of a notebook's cell."""
    body = "".join(
        f"<h3>{page.inline(part.title)}</h3>{part.body}"
        for part in _sections(derivation)
    )
    heading = f"<h2>{page.inline(f'{derivation.case}: {derivation.title}')}</h2>"
    return page.fragment(STYLE + heading + _lead(derivation) + body)


def _lead(derivation: Derivation) -> str:
    setting = " · ".join(f"{key}: {value}" for key, value in derivation.setting.items())
    quiet = f'<p class="quiet">{page.inline(setting)}</p>' if setting else ""
    return f'<p class="lead">{page.inline(derivation.summary)}</p>{quiet}'


def _sections(derivation: Derivation) -> list[page.Section]:
    parts = []
    if derivation.diagram is not None:
        caption = (
            "Weights at the start. Dashed ones never move; hidden units of a layer "
            "with the same number and colour stay equal for ever."
        )
        drawn = page.figure(network(derivation.diagram), caption=caption)
        parts.append(page.Section(title="The start in a picture", body=drawn))
    parts += sections_of(derivation)
    parts.append(page.Section(title="Claims", body=claims_of(derivation)))
    if derivation.movements:
        parts.append(page.Section(title="What moves when", body=moves_of(derivation)))
    return parts


def sections_of(derivation: Derivation) -> list[page.Section]:
    """Give the derivation's own sections: forward, gradients, update."""
    return [_derived(section) for section in derivation.sections]


def claims_of(derivation: Derivation) -> str:
    """Give each claim with its verdict, what a run showed, and its proof."""
    return claims_of_each(derivation.claims)


def claims_of_each(claims: Sequence[Claim]) -> str:
    """Give claims that stand in no derivation of their own."""
    return "".join(_claim(claim) for claim in claims)


def _derived(section: Section) -> page.Section:
    body = "".join(_step(step) for step in section.steps)
    return page.Section(title=section.title, body=body)


def _step(step: Step | ProofStep) -> str:
    words = f"<p>{page.inline(step.text)}</p>" if step.text else ""
    return words + (_formula(step.formula) if step.formula is not None else "")


def _formula(formula: Formula) -> str:
    label = html.escape(formula.text)
    # The text is what a screen reader says where it has no MathML.
    shown = re.sub(
        "<math ", f'<math aria-label="{label}" ', mathml(formula.latex), count=1
    )
    return f'<div class="formula">{shown}</div>'


def _claim(claim: Claim) -> str:
    kind = "good" if claim.holds else "bad"
    verdict = "holds" if claim.holds else "does not hold"
    statement = page.Html(
        f"<strong>{page.inline(claim.statement)}</strong><br>"
        f'<span class="quiet">It {verdict}, by {KINDS[claim.proof.kind]}.</span>'
    )
    steps = "".join(f"<li>{_step(step)}</li>" for step in claim.proof.steps)
    values = ""
    if claim.proof.values:
        values = f'<p class="quiet">At {page.inline(values_of(claim))}.</p>'
    observed = (
        f'<p class="quiet">{page.inline(claim.observed[:1].upper())}'
        f"{page.inline(claim.observed[1:])}.</p>"
        if claim.observed
        else ""
    )
    opened = "" if claim.holds else " open"
    summary = "Proof" if claim.holds else "Counterexample"
    proof = (
        f"<details{opened}><summary>{summary}</summary><ol>{steps}</ol>{values}"
        "</details>"
    )
    return f'<div class="claim">{page.notice(kind, statement)}{observed}{proof}</div>'


def moves_of(derivation: Derivation) -> str:
    """Give the table of what moves when, by proof and in the run."""
    rows = [
        [
            movement.tensor,
            _words(movement.step),
            _words(movement.first_seen),
            float(movement.largest_change),
        ]
        for movement in derivation.movements
    ]
    run = derivation.run
    caption = "By proof, and in a run of real steps."
    if run is not None:
        caption = (
            f"By proof, and in a run of {run.n_steps} steps of gradient descent, "
            f"η = {run.rate:g}, on {run.n_samples} samples."
        )
    head = ["array", "first moves at", "seen in the run", "largest |Δ|"]
    return page.table(head, rows, caption=caption)


def _words(step: int | None) -> str:
    return "never" if step is None else f"step {step}"
