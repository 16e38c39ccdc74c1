"""A comparison as a table: in the terminal, and as Markdown."""

from __future__ import annotations

from math import inf
from textwrap import fill
from typing import TYPE_CHECKING

from fanin.report.comparison.statements import interval, share, statements
from fanin.report.lines import console_of, printed_on
from fanin.report.page import MARKS, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.race import Experiment, Standing, Standings

HEAD = (
    "setting",
    "scheme",
    "",
    "test score",
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
    least = 0.0 if standings.task == "classification" else -inf
    return (
        standings.names[row.setting],
        row.scheme,
        f"{SIGNS[verdict]} {verdict}",
        share(row.test_accuracy),
        interval(row.test_accuracy, least=least),
        f"{row.learning_rate:g}{mark}",
        f"{number(row.first_loss)} → {number(row.final_loss)}",
        f"{row.n_diverged_in_all} of {n_runs}",
        number(max(row.weight_change, key=_size)),
        number(row.unit_spread),
    )


def head(standings: Standings) -> tuple[str, ...]:
    """Give the table's columns; the first says what a setting is here."""
    is_plain = len(standings.experiment.settings) == len(
        standings.experiment.activations
    )
    first = "activation" if is_plain else HEAD[0]
    return (first, *HEAD[1:3], f"test {standings.metric}", *HEAD[4:])


def _size(value: float) -> float:
    return float("inf") if value != value else value


def setting_words(standings: Standings) -> str:
    """Give in one sentence what was trained, and on what."""
    experiment = standings.experiment
    rates = ", ".join(f"{rate:g}" for rate in experiment.learning_rates)
    choosing = f", {standings.n_valid} to choose the rate" if standings.n_valid else ""
    parts = (
        f"{standings.n_train} samples to train on{choosing}, {standings.n_test} to test"
    )
    return (
        f"{len(standings.results)} nets of {net_words(experiment)} in "
        f"{experiment.framework}, on {standings.data} "
        f"({parts}): {experiment.n_steps} steps of "
        f"{either(experiment.optimizer)}, batches of "
        f"{experiment.batch_size}, {len(experiment.seeds)} seeds, for every scheme the "
        f"learning rates {rates}. {standings.seconds:.0f} s."
    )


def net_words(experiment: Experiment) -> str:
    """Say what nets were trained: "20 hidden layers of 64 units"."""
    kinds = {"dense": "hidden layers", "residual": "residual blocks"}
    layers = {"conv": "convolutions"} | kinds
    unit = "channels" if experiment.net == "conv" else "units"
    size = f"of {either(experiment.width)} {unit}"
    norms = either(experiment.normalization)
    norm = "" if norms == "none" else f", normalization {norms},"
    if experiment.net not in layers:  # a user's net has the factors that it takes
        varied = [
            f", {name} {either(getattr(experiment, name))}"
            for name in ("depth", "width")
            if isinstance(getattr(experiment, name), tuple)
        ]
        return f"{experiment.net}{''.join(varied)}{norm}"
    return f"{either(experiment.depth)} {layers[experiment.net]} {size}{norm}"


def either(value: object) -> str:
    """Give one value, or several with "or" before the last.

    >>> either(20), either((5, 10, 20))
    ('20', '5, 10 or 20')
    """
    if not isinstance(value, tuple):
        return str(value)
    words = list(map(str, value))
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


NOTES = (
    "Rate: the learning rate that does best where it is chosen, never on the test "
    "samples; ↑ ↓ at the grid's end. "
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
    titles = head(standings)
    chosen = _columns([titles, *(words for _, words in rows)], width)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for column in chosen:
        table.add_column(titles[column], no_wrap=True)
    before = None
    for row, words in rows:
        if before not in {None, row.setting}:
            table.add_section()
        is_first = before != row.setting
        before = row.setting
        shown = [Text(words[i]) for i in chosen]
        shown[0] = Text(words[0] if is_first else "", style="bold")
        shown[chosen.index(VERDICT)].stylize(COLOURS[standings.verdict(row)])
        table.add_row(*shown)
    console = console_of(width, is_styled=is_coloured)
    console.print(table)
    console.print(NOTES, style="dim")
    return printed_on(console)


def _columns(rows: Sequence[Sequence[str]], width: int) -> tuple[int, ...]:
    """Give the most columns that fit without a cell being cut."""
    widest = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for chosen in SHOWN:
        if sum(widest[i] + GAP for i in chosen) - GAP <= width:
            return chosen
    return SHOWN[-1]


def as_text(
    standings: Standings, *, width: int = 120, is_coloured: bool = False
) -> str:
    """Give the findings, then the table, then how it was done."""
    parts = [_partial(standings)] if standings.is_partial else []
    for each in standings.experiment.settings:
        parts += [
            fill(f"{MARKS[one.kind]} {one.text}", width, subsequent_indent="  ")
            for one in statements(standings, each)
        ] + [""]
    table = as_table(standings, width=width, is_coloured=is_coloured)
    return "\n".join([*parts, table, fill(setting_words(standings), width)])


def as_markdown(standings: Standings) -> str:
    """Give the findings and the table as Markdown."""
    parts = ["# Initial weights compared", ""]
    if standings.is_partial:
        parts += [f"**{_partial(standings)}**", ""]
    for each in standings.experiment.settings:
        parts += [f"- {one.text}" for one in statements(standings, each)]
    rows = [cells(standings, row) for row in standings.rows]
    parts += [
        "",
        *_markdown_table(head(standings), rows),
        "",
        NOTES,
        "",
        setting_words(standings),
    ]
    return "\n".join(parts) + "\n"


def _markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    names = [name.replace("|", "\\|") for name in titles]
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def _partial(standings: Standings) -> str:
    done = len(standings.results) + len(standings.failures)
    total = standings.experiment.n_trials
    return f"Stopped early: {done} of {total} nets were trained."
