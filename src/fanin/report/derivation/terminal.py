"""A derivation in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.lines import console_of, printed_on

if TYPE_CHECKING:
    from rich.console import Console

    from fanin.derivation.records import Claim, Derivation, Formula, Step

WIDTH = 100


def text_of(
    derivation: Derivation,
    *,
    proofs: bool = False,
    styled: bool = False,
    width: int = WIDTH,
) -> str:
    """Give the derivation as lines of text.

    Args:
        derivation: what to show.
        proofs: whether the lines of every proof are shown; counterexamples always are.
        styled: whether colours are written (ANSI escapes), for a terminal.
        width: columns, > 0.
    """
    console = console_of(width, is_styled=styled)
    _head(console, derivation)
    for section in derivation.sections:
        console.print()
        console.print(section.title, style="bold")
        for step in section.steps:
            _step(console, step)
    _claims(console, derivation, proofs=proofs)
    _movements(console, derivation)
    return printed_on(console)


def _head(console: Console, derivation: Derivation) -> None:
    console.print(f"{derivation.case}  {derivation.title}", style="bold")
    shown = " · ".join(f"{key}: {value}" for key, value in derivation.setting.items())
    if shown:
        console.print(shown, style="dim")
    console.print()
    console.print(derivation.summary)


def _indented(console: Console, text: str, indent: int, style: str = "") -> None:
    from rich.padding import Padding
    from rich.text import Text

    console.print(Padding(Text(text, style=style), (0, 0, 0, indent)))


def _step(console: Console, step: Step) -> None:
    if step.text:
        _indented(console, step.text, 2)
    if step.formula is not None:
        _formula(console, step.formula, 4)


def _formula(console: Console, formula: Formula, indent: int) -> None:
    """Show a formula; one that is too long breaks before an equals sign."""
    room = console.width - indent
    lines: list[str] = []
    for part in formula.text.split(" = "):
        joined = f"{lines[-1]} = {part}" if lines else part
        if lines and len(joined) <= room:
            lines[-1] = joined
        else:
            lines.append(f"  = {part}" if lines else part)
    for line in lines:
        _indented(console, line, indent, style="cyan")


def _claims(console: Console, derivation: Derivation, *, proofs: bool) -> None:
    console.print()
    console.print("Claims", style="bold")
    for claim in derivation.claims:
        _claim(console, claim, proofs=proofs)


def _claim(console: Console, claim: Claim, *, proofs: bool) -> None:
    mark, style = ("✓", "green") if claim.holds else ("✗", "red")
    words = "proved" if claim.holds else "refuted"
    console.print(f"  {mark} {claim.statement}", style=style)
    _indented(console, f"{words} by {KINDS[claim.proof.kind]}", 6, style="dim")
    if claim.observed:
        _indented(console, claim.observed, 6, style="dim")
    if proofs or not claim.holds:
        for step in claim.proof.steps:
            if step.text:
                _indented(console, step.text, 6)
            if step.formula is not None:
                _formula(console, step.formula, 8)
        if claim.proof.values:
            _indented(console, f"at {values_of(claim)}", 6)


def values_of(claim: Claim) -> str:
    """Give a counterexample's numbers in one line: "x₁ = 0.2, y = −0.8"."""
    pairs = claim.proof.values.items()
    return ", ".join(f"{name} = {value:.6g}" for name, value in pairs).replace("-", "−")


KINDS = {
    "identity": "an identity in all symbols",
    "induction": "induction: it holds at the start and each step keeps it",
    "witness": "the gradient before and at that step",
    "counterexample": "a counterexample",
}


def _movements(console: Console, derivation: Derivation) -> None:
    from rich.table import Table

    if not derivation.movements:
        return
    run = derivation.run
    steps = f"{run.n_steps} real steps, η = {run.rate:g}" if run else ""
    console.print()
    console.print(f"What moves when, beside {steps}", style="bold")
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_edge=False)
    for name in ("  array", "first moves at", "seen in the run", "largest |Δ|"):
        table.add_column(name)
    for movement in derivation.movements:
        table.add_row(
            f"  {movement.tensor}",
            _step_words(movement.step),
            _step_words(movement.first_seen),
            f"{movement.largest_change:.4g}",
        )
    console.print(table)


def _step_words(step: int | None) -> str:
    return "never" if step is None else f"step {step}"
