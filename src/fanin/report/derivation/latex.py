r"""A derivation as a LaTeX fragment: ``\input`` it in a document with amsmath.

Prose is plain text with its Unicode signs turned into LaTeX, so that pdfLaTeX compiles
it without further packages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fanin.report.derivation.terminal import KINDS, values_of

if TYPE_CHECKING:
    from fanin.derivation.records import Claim, Derivation, Formula, ProofStep, Step

SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
SIGNS = {
    "α": r"\alpha",
    "φ": r"\varphi",
    "σ": r"\sigma",
    "η": r"\eta",
    "β": r"\beta",
    "δ": r"\delta",
    "κ": r"\kappa",
    "ξ": r"\xi",
    "χ": r"\chi",
    "∇": r"\nabla ",
    "Δ": r"\Delta",
    "ŷ": r"\hat{y}",
    "ȳ": r"\bar{y}",
    "′": "'",
    "″": "''",
    "−": "-",
    "·": r"\cdot ",
    "×": r"\times ",
    "≠": r"\neq ",
    "≥": r"\geq ",
    "≤": r"\leq ",
    "→": r"\to ",
    "←": r"\leftarrow ",
    "½": r"\tfrac12 ",
    "¼": r"\tfrac14 ",
    "¾": r"\tfrac34 ",
    "⅓": r"\tfrac13 ",
    "√": r"\surd ",
    "⟨": r"\langle ",
    "⟩": r"\rangle ",
    "∑": r"\sum ",
    "Σ": r"\Sigma ",
    "∞": r"\infty ",
    "π": r"\pi ",
    "⊤": r"\top ",
    "ᵀ": r"^{\top}",
    "ⱼ": "_j",
    "ₖ": "_k",
    "ℓ": r"\ell ",
    "∫": r"\int ",
    "≈": r"\approx ",
    "±": r"\pm ",
}
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊ₗ", "0123456789+l", strict=True))
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁻", "0123456789()-", strict=True))


def prose(text: str) -> str:
    r"""Give plain text as LaTeX.

    >>> print(prose("100 % of w₁₁⁽²⁾ · φ′(0)"))
    100 \% of w$_{11}^{(2)}$ $\cdot $ $\varphi'$(0)
    """
    shown = "".join(SPECIAL.get(letter, letter) for letter in text)
    shown = re.sub(f"[{''.join(LOWERED)}]+", _lowered, shown)
    shown = re.sub(f"[{''.join(RAISED)}]+", _raised, shown)
    shown = "".join(f"${SIGNS[s]}$" if s in SIGNS else s for s in shown)
    return shown.replace("$$", "")


def _lowered(found: re.Match[str]) -> str:
    return f"$_{{{''.join(LOWERED[letter] for letter in found[0])}}}$"


def _raised(found: re.Match[str]) -> str:
    return f"$^{{{''.join(RAISED[letter] for letter in found[0])}}}$"


def latex_of(derivation: Derivation) -> str:
    """Give the whole derivation as a fragment."""
    title = prose(f"{derivation.case}: {derivation.title}")
    lines = [rf"\section*{{{title}}}", prose(derivation.summary), ""]
    for section in derivation.sections:
        lines += ["", rf"\subsection*{{{prose(section.title)}}}"]
        for step in section.steps:
            lines += _step(step)
    lines += ["", r"\subsection*{Claims}"]
    for claim in derivation.claims:
        lines += _claim(claim)
    return "\n".join(lines) + "\n"


def _step(step: Step | ProofStep) -> list[str]:
    lines = [prose(step.text)] if step.text else []
    return [*lines, *_formula(step.formula)] if step.formula is not None else lines


def _formula(formula: Formula) -> list[str]:
    """Give a displayed formula; a long one breaks before its equals signs."""
    if formula.latex.count(" = ") < 2 or r"\begin" in formula.latex:
        return [rf"\[ {formula.latex} \]"]
    first, *rest = formula.latex.split(" = ")
    body = r" \\ ".join(
        f"{first if k == 0 else ''} &= {side}" for k, side in enumerate(rest)
    )
    return [rf"\begin{{align*}} {body} \end{{align*}}"]


def _claim(claim: Claim) -> list[str]:
    verdict = "Holds" if claim.holds else "Does not hold"
    lines = [
        "",
        (
            rf"\paragraph{{{prose(claim.statement)}}} \textbf{{{verdict}}}, by "
            f"{prose(KINDS[claim.proof.kind])}."
        ),
        "",
    ]
    for step in claim.proof.steps:
        lines += [*_step(step), ""]
    if claim.proof.values:
        lines.append(prose(f"At {values_of(claim)}."))
    return lines


def notebook_latex_of(derivation: Derivation) -> str:
    """Give the formulas alone, for a notebook that shows LaTeX but no HTML."""
    shown = [
        step.formula.latex
        for section in derivation.sections
        for step in section.steps
        if step.formula is not None
    ]
    return "$$\\begin{gathered} " + r" \\ ".join(shown) + " \\end{gathered}$$"
