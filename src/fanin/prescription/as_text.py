"""A Plan as plain text: a table at most 100 columns wide, reasons below it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from fanin.prescription.rows import HEADINGS, Row, columns, reasons, rows

if TYPE_CHECKING:
    from fanin.prescription.plan import Plan
    from fanin.prescription.prescription import Prescription

WIDTH = 100
SHRINKING = ((0, 18), (1, 9), (3, 10), (2, 8), (6, 9), (7, 8), (0, 8))
"""Which columns give way where the table is too wide, and down to how much."""


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
    lines = [headline(plan), "", *_columns(found), *_reasons(found)]
    for title, texts in (("Warning", plan.warnings), ("Note", plan.notes)):
        for text in texts:
            lines += ["", *_wrapped(f"{title}: {text}")]
    if plan.first_loss is not None:
        lines += ["", f"First loss expected: {plan.first_loss:.4g}"]
    return "\n".join(lines)


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


def _columns(found: list[Row]) -> list[str]:
    """Lay the cells out; a column that is empty throughout is left out."""
    cells = [HEADINGS, *(row.cells for row in found)]
    shown = columns(found)
    widths = fitted({i: max(len(line[i]) for line in cells) for i in shown})
    lines = [
        "  ".join(cut(line[i], widths[i]).ljust(widths[i]) for i in shown).rstrip()
        for line in cells
    ]
    rule = "  ".join("─" * widths[i] for i in shown)
    return [lines[0], rule, *lines[1:]]


def fitted(widths: dict[int, int]) -> dict[int, int]:
    """Narrow the columns, in the order of `SHRINKING`, until the table fits.

    >>> fitted({0: 90, 5: 20})
    {0: 78, 5: 20}
    """
    fitting = dict(widths)
    for column, least in SHRINKING:
        excess = sum(fitting.values()) + 2 * (len(fitting) - 1) - WIDTH
        if excess > 0 and column in fitting:
            fitting[column] = max(fitting[column] - excess, min(least, fitting[column]))
    return fitting


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


def cut(text: str, width: int) -> str:
    """Cut a text in its middle.

    >>> cut("encoder.layers.0.attention.weight", 20)
    'encoder.la…on.weight'
    """
    if len(text) <= width:
        return text
    head = width // 2
    return f"{text[:head]}…{text[len(text) - (width - head - 1) :]}"
