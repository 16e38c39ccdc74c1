"""Charts of a plan, by layer: output sizes with their prediction, and gradients."""

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
    description = (
        "Root mean square of each weight's output, in the model's order: predicted "
        "with the interval for one draw of the weights, and measured if it was."
    )
    return line_chart(lines, _frame("Output of each weight", description))


def with_gradient(plan: Plan) -> list[Prescription]:
    """Give the weights whose gradient was measured, in the model's order."""
    return [p for p in plan.prescriptions if p.gradient is not None and p.fan]


def gradient_chart(plan: Plan) -> str:
    """Draw the root mean square of the loss's gradient by each weight, as measured."""
    found = with_gradient(plan)
    line = Line(
        label="measured",
        x=[float(i + 1) for i in range(len(found))],
        y=[p.gradient or NAN for p in found],
        style=style_of(1),
        marks="all",
    )
    description = (
        "Root mean square of the loss's gradient by the entries of each weight, in the "
        "model's order, as measured on the batch."
    )
    return line_chart([line], _frame("Gradient of each weight", description))


def _frame(title: str, description: str) -> Frame:
    return Frame(
        title=title,
        description=description,
        x_label="weight",
        y_label="root mean square",
        is_log=True,
        width=640.0,
        height=320.0,
    )
