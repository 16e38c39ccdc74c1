"""A derivation as Markdown with LaTeX formulas between dollar signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.derivation.terminal import KINDS, values_of

if TYPE_CHECKING:
    from fanin.derivation.records import Claim, Derivation, ProofStep, Step


def markdown_of(derivation: Derivation) -> str:
    """Give the whole derivation as a Markdown document."""
    lines = [f"# {derivation.case}: {derivation.title}", "", derivation.summary, ""]
    lines += [f"- {key}: {value}" for key, value in derivation.setting.items()]
    for section in derivation.sections:
        lines += ["", f"## {section.title}", ""]
        for step in section.steps:
            lines += _step(step)
    lines += ["", "## Claims", ""]
    for claim in derivation.claims:
        lines += _claim(claim)
    lines += _movements(derivation)
    return "\n".join(lines).rstrip() + "\n"


def _step(step: Step | ProofStep) -> list[str]:
    lines = [step.text, ""] if step.text else []
    if step.formula is not None:
        lines += [f"$${step.formula.latex}$$", ""]
    return lines


def _claim(claim: Claim) -> list[str]:
    mark = "✓ holds" if claim.holds else "✗ does not hold"
    lines = [
        f"### {claim.statement}",
        "",
        f"**{mark}**, by {KINDS[claim.proof.kind]}.",
        "",
    ]
    for step in claim.proof.steps:
        lines += _step(step)
    if claim.proof.values:
        lines += [f"At {values_of(claim)}.", ""]
    if claim.observed:
        lines += [f"*{claim.observed}*", ""]
    return lines


def _movements(derivation: Derivation) -> list[str]:
    if not derivation.movements:
        return []
    lines = [
        "",
        "## What moves when",
        "",
        "| array | first moves at | seen in the run | largest change |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {m.tensor} | {_words(m.step)} | {_words(m.first_seen)} | "
        f"{m.largest_change:.4g} |"
        for m in derivation.movements
    ]
    return lines


def _words(step: int | None) -> str:
    return "never" if step is None else f"step {step}"
