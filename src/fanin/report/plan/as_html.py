"""A plan as HTML: what each parameter gets, why, and how large its output will be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fanin.prescription.printing.as_text import headline, loss_line
from fanin.prescription.printing.rows import HEADINGS, columns, evidence, reasons, rows
from fanin.report.page import (
    Section,
    figure,
    fragment,
    inline,
    notice,
    number,
    page,
    table,
)
from fanin.report.plan.sizes import (
    gradient_chart,
    size_chart,
    size_rows,
    with_gradient,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.prescription import Plan


def html(plan: Plan) -> str:
    """Give the plan for a notebook cell, with the styles it needs.

    >>> from fanin.prescription import Plan
    >>> "policy auto" in html(Plan(prescriptions=(), seed=0))
    True
    """
    return fragment(body(plan))


def body(plan: Plan) -> str:
    """Give the plan as HTML without styles, to stand in a section of a page."""
    parts = [f"<p>{inline(headline(plan))}.</p>"]
    parts += [notice("warning", text) for text in plan.warnings]
    parts += [notice("note", text) for text in plan.notes]
    lost = loss_line(plan)
    if lost:
        parts.append(notice("note", lost))
    found = rows(plan.prescriptions)
    caption = "What each parameter gets. Like parameters share a row."
    shown = columns(found)
    cells = [[row.cells[i] for i in shown] for row in found]
    parts.append(table([HEADINGS[i] for i in shown], cells, caption=caption))
    parts.append(f"<h3>Why</h3>{_list(reasons(found))}")
    known = evidence(found)
    if known:
        title = "<summary>How each role was found</summary>"
        parts.append(f"<details>{title}{_list(known)}</details>")
    return "".join(parts)


def _list(said: Sequence[tuple[str, str]]) -> str:
    """Give what is said of some parameters, after their names."""
    items = "".join(
        f"<li><strong>{inline(names)}</strong>: {inline(text)}</li>"
        for names, text in said
    )
    return f"<ul>{items}</ul>"


def page_of(plan: Plan, *, title: str = "Plan") -> str:
    """Give a whole HTML document, with the plan's JSON embedded."""
    sections = [Section(title="Initial values", body=body(plan))]
    sizes = size_rows(plan)
    if sizes:
        drawn = figure(
            size_chart(plan),
            caption=_finding(plan),
            numbers=table(("weight", "predicted", "low", "high", "measured"), sizes),
        )
        sections.append(Section(title="Sizes of outputs", body=drawn))
    graded = with_gradient(plan)
    if graded:
        low, high = (number(f(p.gradient or 0.0 for p in graded)) for f in (min, max))
        drawn = figure(
            gradient_chart(plan),
            caption=f"Gradients of the loss by the weights range from {low} to {high}.",
            numbers=table(
                ("weight", "gradient"), [(p.path, p.gradient) for p in graded]
            ),
        )
        sections.append(Section(title="Gradients", body=drawn))
    return page(title=title, sections=sections, data=json.loads(plan.to_json()))


def _finding(plan: Plan) -> str:
    """Say in a sentence how measured and predicted sizes compare."""
    measured = [
        p
        for p in plan.prescriptions
        if p.measured is not None and p.low is not None and p.high is not None
    ]
    predicted = [p.predicted for p in plan.prescriptions if p.predicted is not None]
    span = f"from {number(min(predicted))} to {number(max(predicted))}"
    if not measured:
        return f"Root mean squares of the weights' outputs are predicted {span}."
    n_inside = sum(
        1 for p in measured if (p.low or 0.0) <= (p.measured or 0.0) <= (p.high or 0.0)
    )
    return (
        f"Predicted {span}; {n_inside} of {len(measured)} measured outputs lie within "
        "the interval for one draw of the weights."
    )
