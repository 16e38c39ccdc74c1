"""A comparison as a table: in the terminal, and as Markdown."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from fanin.report.comparison.statements import interval, share, statements
from fanin.report.lines import console_of, printed_on
from fanin.report.page import MARKS, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.race import Standing, Standings

HEAD = (
    "activation",
    "scheme",
    "",
    "test accuracy",
    "95 % interval",
    "rate",
    "loss",
    "diverged",
    "max |ΔW|",
    "units differ by",
)
COLOURS = {"works": "green", "lags": "yellow", "fails": "red"}
VERDICT = 2  # its place in HEAD
SHOWN = (
    tuple(range(len(HEAD))),
    (0, 1, 2, 3, 5, 6, 7, 8, 9),
    (0, 1, 2, 3, 5, 6, 8),
    (0, 1, 2, 3, 5, 6),
)
"""Columns by their places in HEAD, from all to the fewest."""
GAP = 3  # between columns

SIGNS = {"works": "✓", "lags": "!", "fails": "✗"}


def cells(standings: Standings, row: Standing) -> tuple[str, ...]:
    """Give one row of the table, as text."""
    n_runs = len(standings.experiment.learning_rates) * len(standings.experiment.seeds)
    mark = {"highest": " ↑", "lowest": " ↓"}.get(row.edge, "")
    verdict = standings.verdict(row)
    return (
        row.activation,
        row.scheme,
        f"{SIGNS[verdict]} {verdict}",
        share(row.test_accuracy),
        interval(row.test_accuracy, is_share=True),
        f"{row.learning_rate:g}{mark}",
        f"{number(row.first_loss)} → {number(row.final_loss)}",
        f"{row.n_diverged_in_all} of {n_runs}",
        number(max(row.weight_change, key=_size)),
        number(row.unit_spread),
    )


def _size(value: float) -> float:
    return float("inf") if value != value else value


def setting(standings: Standings) -> str:
    """Give in one sentence what was trained, and on what."""
    experiment = standings.experiment
    rates = ", ".join(f"{rate:g}" for rate in experiment.learning_rates)
    return (
        f"{len(standings.results)} nets of {experiment.depth} hidden layers of "
        f"{experiment.width} units in {experiment.framework}, on {standings.data} "
        f"({standings.n_train} samples to train on, {standings.n_test} to test): "
        f"{experiment.n_steps} steps of {experiment.optimizer}, batches of "
        f"{experiment.batch_size}, {len(experiment.seeds)} seeds, for every scheme the "
        f"learning rates {rates}. {standings.seconds:.0f} s."
    )


NOTES = (
    "Rate: the learning rate with the least training loss; ↑ ↓ at the grid's end. "
    "Loss: of the training set, before and after. Diverged: runs that reached NaN, at "
    "any rate. Max |ΔW|: the largest change of a weight. Units differ by: the largest "
    "difference between two units of one layer after training, 0 for twins."
)


def as_table(
    standings: Standings, *, width: int = 120, is_coloured: bool = False
) -> str:
    """Give the table for a terminal.

    Args:
        standings: what to show.
        width: columns of the terminal.
        is_coloured: with ANSI colours.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    rows = [(row, cells(standings, row)) for row in standings.rows]
    chosen = _columns([words for _, words in rows], width)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for column in chosen:
        table.add_column(HEAD[column], no_wrap=True)
    before = None
    for row, words in rows:
        if before not in {None, row.activation}:
            table.add_section()
        is_first = before != row.activation
        before = row.activation
        shown = [Text(words[i]) for i in chosen]
        shown[0] = Text(row.activation if is_first else "", style="bold")
        shown[chosen.index(VERDICT)].stylize(COLOURS[standings.verdict(row)])
        table.add_row(*shown)
    console = console_of(width, is_styled=is_coloured)
    console.print(table)
    console.print(NOTES, style="dim")
    return printed_on(console)


def _columns(rows: Sequence[Sequence[str]], width: int) -> tuple[int, ...]:
    """Give the most columns that fit without a cell being cut."""
    widest = [max(map(len, column)) for column in zip(HEAD, *rows, strict=True)]
    for chosen in SHOWN:
        if sum(widest[i] + GAP for i in chosen) - GAP <= width:
            return chosen
    return SHOWN[-1]


def as_text(
    standings: Standings, *, width: int = 120, is_coloured: bool = False
) -> str:
    """Give the findings, then the table, then how it was done."""
    parts = [_partial(standings)] if standings.is_partial else []
    for activation in standings.experiment.activations:
        parts += [
            fill(f"{MARKS[one.kind]} {one.text}", width, subsequent_indent="  ")
            for one in statements(standings, activation)
        ] + [""]
    table = as_table(standings, width=width, is_coloured=is_coloured)
    return "\n".join([*parts, table, fill(setting(standings), width)])


def as_markdown(standings: Standings) -> str:
    """Give the findings and the table as Markdown."""
    parts = ["# Initial weights compared", ""]
    if standings.is_partial:
        parts += [f"**{_partial(standings)}**", ""]
    for activation in standings.experiment.activations:
        parts += [f"- {one.text}" for one in statements(standings, activation)]
    rows = [cells(standings, row) for row in standings.rows]
    parts += ["", *_markdown_table(rows), "", NOTES, "", setting(standings)]
    return "\n".join(parts) + "\n"


def _markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    head = [name.replace("|", "\\|") for name in HEAD]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def _partial(standings: Standings) -> str:
    done, total = len(standings.results), standings.experiment.n_trials
    return f"Stopped early: {done} of {total} nets were trained."
