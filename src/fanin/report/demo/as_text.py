"""The demo for a terminal: proved, found and mended, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.lines import console_of, printed_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from fanin.report.comparison import Comparison
    from fanin.report.demo.patient import Patient
    from fanin.report.derivation import Lesson

MOST_CLAIMS = 5


def as_text(
    lessons: Sequence[Lesson],
    patients: Sequence[Patient],
    comparison: Comparison,
    *,
    width: int = 100,
    is_coloured: bool = False,
) -> str:
    """Give the demo in lines of at most ``width`` columns."""
    console = console_of(width, is_styled=is_coloured, has_markup=True)
    console.print(
        "[bold]1. Proved with symbols[/]  (for all inputs, targets and rates)"
    )
    for lesson in lessons:
        _print_lesson(console, lesson)
    console.print(
        "\n[bold]2. Found before training, and mended[/]  (fanin.check, init)"
    )
    _print_patients(console, patients)
    console.print("\n[bold]3. Measured by training on real data[/]  (fanin.compare)")
    text = comparison.to_text(width=width, is_coloured=is_coloured)
    return f"{printed_on(console)}\n{text}"


def _print_lesson(console: Console, lesson: Lesson) -> None:
    from rich.padding import Padding
    from rich.text import Text

    console.print(Text.assemble(("\n" + lesson.title, "bold"), f"  {lesson.summary}"))
    for claim in lesson.claims[:MOST_CLAIMS]:
        mark = ("✓ ", "green") if claim.holds else ("✗ ", "red")
        how = "proved" if claim.holds else "refuted"
        line = Text.assemble(mark, claim.statement, (f"  {how}", "dim"))
        console.print(Padding(line, (0, 0, 0, 2)))


def _print_patients(console: Console, patients: Sequence[Patient]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("network", "fanin.check says", "what was found", "after fanin.init"):
        table.add_column(head, overflow="fold")
    for patient in patients:
        found = first_finding(patient)
        table.add_row(
            Text(patient.name),
            Text(str(patient.before.verdict)),
            Text(found),
            Text(str(patient.after.verdict)),
        )
    console.print(table)


def first_finding(patient: Patient) -> str:
    """Give the worst thing that was found before, in one sentence."""
    worst = patient.before.findings[:1]
    return "".join(f"{found.code} {found.message}" for found in worst) or "nothing"
