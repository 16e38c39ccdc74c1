"""A watched loop as text, as HTML and as a table of pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fanin.errors import MissingDependencyError
from fanin.report.findings.as_html import body
from fanin.report.page import figure, fragment, table
from fanin.report.svg import Frame, Line, line_chart, style_of
from fanin.rules.words import number

if TYPE_CHECKING:
    from fanin.graph.trace import Trace
    from fanin.rules import Report

MOST_ROWS: Final = 60
"""Parameters in a table of a notebook; all are in ``to_frame``."""
MOST_LINES: Final = 6
"""Curves in one picture."""
COMMON: Final = -3.0
HEAD: Final = ("parameter", "gradient", "weight", "log₁₀ update ÷ weight", "moved")


def text(report: Report, trace: Trace) -> str:
    """Give the report, and a line for each parameter: medians over the steps.

    >>> from fanin.graph.trace import Moved, StepRow, trace_of
    >>> from fanin.rules import Report, Verdict
    >>> row = StepRow(moved={"w": Moved(2.0, 1.0, 0.01, 0.0)})
    >>> report = Report(verdict=Verdict.HEALTHY)
    >>> print(text(report, trace_of([row], paths=("w",))).splitlines()[-1])
    w            2       1       -2                      1 of 1
    """
    rows = [list(map(_plain, row)) for row in rows_of(trace)]
    columns = list(zip(HEAD, *rows, strict=True))
    widths = [
        max(12 if place == 0 else 7, *map(len, c)) for place, c in _numbered(columns)
    ]
    lines = [
        " ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in (list(HEAD), *rows)
    ]
    return "\n".join([str(report), "", *(line.rstrip() for line in lines)])


def _numbered(columns: list[tuple[str, ...]]) -> list[tuple[int, tuple[str, ...]]]:
    return list(enumerate(columns))


def rows_of(trace: Trace) -> list[tuple[object, ...]]:
    """Give a row for each parameter: medians of gradient, weight and ratio, and moves.

    NaN where nothing was seen.
    """
    ratio = trace.ratio
    moved = (trace.update > 0.0).sum(axis=0)
    stepped = (~np.isnan(trace.update)).sum(axis=0)
    return [
        (
            path,
            _median(trace.gradient[:, place]),
            _median(trace.weight[:, place]),
            _median(ratio[:, place]),
            f"{moved[place]} of {stepped[place]}",
        )
        for place, path in enumerate(trace.paths)
    ]


def _median(numbers: np.ndarray) -> float:
    known = numbers[~np.isnan(numbers)]
    return float(np.median(known)) if len(known) else float("nan")


def _plain(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)


def html(report: Report, trace: Trace) -> str:
    """Give findings, curves and numbers, to stand in a notebook cell."""
    rows = rows_of(trace)
    numbers = table(HEAD, rows[:MOST_ROWS], caption="Medians over the watched steps")
    if not trace.n_steps:
        return fragment(body(report))
    shown = figure(
        *charts(trace),
        caption=f"{trace.n_steps} steps. An update of a thousandth of the weight, "
        "log₁₀ = −3, is common.",
        numbers=numbers,
    )
    return fragment(body(report) + shown)


def charts(trace: Trace) -> list[str]:
    """Draw the loss, if it was told, and the update ratios of a few weights.

    Of many weights those are drawn whose ratios are spread from least to greatest.
    """
    steps = [float(step) for step in range(trace.n_steps)]
    drawn = []
    if np.isfinite(trace.loss).any():
        loss = [float(v) if np.isfinite(v) else np.nan for v in trace.loss]
        line = Line(label="loss", x=steps, y=loss, style=style_of(0))
        words = f"The loss goes from {number(loss[0])} to {number(loss[-1])}."
        drawn.append(line_chart([line], _frame("Loss", words)))
    ratio = np.where(np.isfinite(trace.ratio), trace.ratio, np.nan)
    known = [p for p in range(len(trace.paths)) if np.isfinite(ratio[:, p]).any()]
    order = sorted(known, key=lambda place: _median(ratio[:, place]))
    chosen = np.linspace(0, len(order) - 1, min(MOST_LINES, len(order))).round()
    lines = [
        Line(
            label=trace.paths[place],
            x=steps,
            y=ratio[:, place].tolist(),
            style=style_of(count),
        )
        for count, place in enumerate(order[int(c)] for c in chosen)
    ]
    if lines:
        words = "log₁₀ of the root mean square of the update over that of the weight."
        drawn.append(line_chart(lines, _frame("Update ÷ weight, log₁₀", words)))
    return drawn


def _frame(title: str, description: str) -> Frame:
    is_ratio = title.startswith("Update")
    return Frame(
        title=title,
        description=description,
        x_label="step",
        marked=(COMMON, "10⁻³") if is_ratio else None,
    )


def frame(trace: Trace) -> Any:  # noqa: ANN401 (pandas' DataFrame)
    """Give a ``pandas.DataFrame``: a row for each step and parameter that it stepped.

    Columns: step, path, gradient, weight, update, log10_ratio, lost, loss, rate.

    Raises:
        MissingDependencyError: if pandas is not installed.
    """
    package, purpose = "pandas", "Watch.to_frame"
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingDependencyError.of(package, purpose, package) from error
    steps, places = np.nonzero(~np.isnan(trace.update))
    return pd.DataFrame(
        {
            "step": steps,
            "path": [trace.paths[place] for place in places],
            "gradient": trace.gradient[steps, places],
            "weight": trace.weight[steps, places],
            "update": trace.update[steps, places],
            "log10_ratio": trace.ratio[steps, places],
            "lost": trace.lost[steps, places],
            "loss": trace.loss[steps],
            "rate": trace.rate[steps],
        }
    )
