"""The demo as one page: proved, found and mended, measured."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.report.comparison.as_html import sections_of
from fanin.report.demo.as_text import first_finding
from fanin.report.derivation.html import STYLE, claims_of
from fanin.report.findings.as_html import body as findings_body
from fanin.report.page import Html, Section, inline, page, table
from fanin.report.plan import body as plan_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.report.comparison import Comparison
    from fanin.report.demo.patient import Patient
    from fanin.report.derivation import Lesson

TITLE = "The lesson on initial weights"
LEAD = (
    "A network whose weights start at zero never learns; one that starts at a constant "
    "keeps its units alike for ever; too small and too large both fail with depth; "
    "Glorot’s scale goes with tanh and He’s with ReLU. Each statement is proved with "
    "symbols, found in a real network before it is trained, mended, and measured by "
    "training on real data."
)


def as_page(
    lessons: Sequence[Lesson],
    patients: Sequence[Patient],
    comparison: Comparison,
    seconds: float,
) -> str:
    """Give one self-contained HTML file."""
    found, *charts = sections_of(comparison.standings)
    return page(
        title=TITLE,
        lead=f'{STYLE}<p class="lead">{inline(LEAD)}</p>',
        sections=[
            Section(title="Proved with symbols", body=_proved(lessons)),
            Section(title="Found and mended", body=_mended(patients)),
            replace(found, title="Measured by training"),
            *charts,
        ],
        footer=f"<p>Made by fanin demo in {seconds:.0f} seconds.</p>",
    )


def _proved(lessons: Sequence[Lesson]) -> str:
    intro = (
        "<p>Each claim is an identity in all inputs, targets and learning rates, or is "
        "refuted by a counterexample that was computed. Open one for its steps.</p>"
    )
    return intro + "".join(_lesson(lesson) for lesson in lessons)


def _lesson(lesson: Lesson) -> str:
    setting = " · ".join(f"{key}: {value}" for key, value in lesson.setting.items())
    return (
        f"<h3>{inline(lesson.title)}</h3><p>{inline(lesson.summary)}</p>"
        f'<p class="quiet">{inline(setting)}</p>{claims_of(lesson)}'
    )


def _mended(patients: Sequence[Patient]) -> str:
    head = ("network", "before", "what was found", "after fanin.init")
    rows = [
        (p.name, str(p.before.verdict), first_finding(p), str(p.after.verdict))
        for p in patients
    ]
    intro = (
        "<p>Networks for scikit-learn’s digits, looked at by <code>fanin.check</code> "
        "before any training, and again after <code>fanin.init</code>.</p>"
    )
    shown = table(head, rows, caption="Networks before and after fanin.init")
    return intro + shown + "".join(_patient(patient) for patient in patients)


def _patient(patient: Patient) -> Html:
    return Html(
        f"<details><summary>{inline(patient.name)}: the whole report and the plan"
        f"</summary><h4>Before</h4>{findings_body(patient.before)}"
        f"<h4>What fanin.init wrote</h4>{plan_body(patient.plan)}"
        f"<h4>After</h4>{findings_body(patient.after)}</details>"
    )
