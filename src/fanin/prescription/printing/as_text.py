"""A Plan as plain text: a table at most 100 columns wide, reasons below it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from fanin.prescription.printing.layout import WIDTH, Columns, lines_of
from fanin.prescription.printing.rows import HEADINGS, Row, columns, reasons, rows

if TYPE_CHECKING:
    from fanin.prescription.plan import Plan
    from fanin.prescription.prescription import Prescription

LEFT_OUT = ("measured", "input share", "gradient")
"""Columns of the page that the terminal has no room for, or has within another."""


def table(plan: Plan) -> str:
    """Give the plan in words and columns.

    >>> from fanin.graph.sketch import Sketch
    >>> from fanin.prescription.make import make_plan
    >>> sketch = Sketch()
    >>> y = sketch.dense(sketch.input((8, 4)), 2, path="0", has_bias=False)
    >>> print(str(make_plan(sketch.graph(y), seed=7)).splitlines()[0])
    Plan: 8 numbers in 1 parameter, policy auto, seed 7
    """
    found = rows(plan.prescriptions)
    lines = [headline(plan), "", *lines_of(_columns(found)), *_reasons(found)]
    for title, texts in (("Warning", plan.warnings), ("Note", plan.notes)):
        for text in texts:
            lines += ["", *_wrapped(f"{title}: {text}")]
    lost = loss_line(plan)
    if lost:
        lines += ["", lost]
    lines += ["", f"Fingerprint: {plan.fingerprint}"]
    return "\n".join(lines)


def loss_line(plan: Plan) -> str:
    """Say how large the first loss is, by theory and by measurement; "" if unknown.

    >>> from fanin.prescription.plan import Plan
    >>> loss_line(Plan(prescriptions=(), seed=0, first_loss=2.35, measured_loss=2.3))
    'First loss: 2.35 expected, 2.3 measured.'
    """
    known = (("expected", plan.first_loss), ("measured", plan.measured_loss))
    said = [f"{loss:.4g} {word}" for word, loss in known if loss is not None]
    return f"First loss: {', '.join(said)}." if said else ""


def headline(plan: Plan) -> str:
    """Say how much is drawn, by which policy, from which seed."""
    drawn = [p for p in plan.prescriptions if not p.is_kept]
    n_kept = len(plan.prescriptions) - len(drawn)
    kept = f", {n_kept} left as they are" if n_kept else ""
    calibrated = ", calibrated on a batch" if plan.is_calibrated else ""
    return (
        f"Plan: {plan.n_parameters:,} numbers in {_counted(drawn)}{kept}, "
        f"policy {plan.policy}, seed {plan.seed}{calibrated}"
    )


def _counted(drawn: list[Prescription]) -> str:
    return f"{len(drawn)} parameter" + ("" if len(drawn) == 1 else "s")


def _columns(found: list[Row]) -> Columns:
    """Give the cells, without empty columns, and predicted → measured in one."""
    shown = [i for i in columns(found) if HEADINGS[i] not in LEFT_OUT]
    rows_of = (_merged(row.cells) for row in found)
    return Columns(
        headings=tuple(HEADINGS[i] for i in shown),
        rows=tuple(tuple(cells[i] for i in shown) for cells in rows_of),
    )


def _merged(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Write what was measured behind what was predicted."""
    predicted, measured = (HEADINGS.index(name) for name in ("output rms", "measured"))
    if not cells[measured]:
        return cells
    both = f"{cells[predicted] or '?'} → {cells[measured]}"
    return (*cells[:predicted], both, *cells[predicted + 1 :])


def _reasons(found: list[Row]) -> list[str]:
    """Give each reason once, with the parameters that it is for."""
    lines = ["", "Why"]
    for names, reason in reasons(found):
        lines += _wrapped(f"{names}: {reason}", indent="  ")
    return lines


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
