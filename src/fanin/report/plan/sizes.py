"""The chart of output sizes: predicted with its interval, and measured, by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.svg import Frame, Line, line_chart, style_of

if TYPE_CHECKING:
    from fanin.prescription import Plan, Prescription

NAN = float("nan")


def sized(plan: Plan) -> list[Prescription]:
    """Give the weights whose output has a predicted size, in the model's order."""
    return [p for p in plan.prescriptions if p.predicted is not None]


def size_rows(plan: Plan) -> list[tuple[object, ...]]:
    """Give path, predicted, low, high and measured root mean square of each weight."""
    return [
        (p.path, p.predicted, p.low, p.high, "" if p.measured is None else p.measured)
        for p in sized(plan)
    ]


def size_chart(plan: Plan) -> str:
    """Draw the predicted root mean squares as a band, and the measured as points."""
    found = sized(plan)
    places = [float(i + 1) for i in range(len(found))]
    lines = [
        Line(
            label="predicted",
            x=places,
            y=[p.predicted or NAN for p in found],
            low=[p.low or NAN for p in found],
            high=[p.high or NAN for p in found],
            style=style_of(0),
        )
    ]
    if any(p.measured is not None for p in found):
        measured = Line(
            label="measured",
            x=places,
            y=[NAN if p.measured is None else p.measured for p in found],
            style=style_of(1),
            has_stroke=False,
            marks="all",
        )
        lines.append(measured)
    frame = Frame(
        title="Output of each weight",
        description=(
            "Root mean square of each weight's output, in the model's order: predicted "
            "with the interval for one draw of the weights, and measured if it was."
        ),
        x_label="weight",
        y_label="root mean square",
        is_log=True,
        width=640.0,
        height=320.0,
    )
    return line_chart(lines, frame)
