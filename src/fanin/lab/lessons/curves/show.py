"""The sections of a lesson that is a few curves, and how such a lesson is made."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fanin.lab.lessons.lesson import Lesson, Shown
from fanin.lab.lessons.parts.settings import sliders
from fanin.lab.lessons.parts.stating import bounds, stated
from fanin.report.derivation.html import claims_of_each
from fanin.report.page import Section, figure, table
from fanin.report.svg import Frame, Line, line_chart, style_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.derivation.records import Claim
    from fanin.lab.lessons.curves.code import Code
    from fanin.lab.lessons.curves.evidence import Chart, Curves
    from fanin.lab.lessons.lesson import Question, Setting, Statement

MOST_ROWS = 40


def lesson(  # noqa: PLR0913 - a lesson has that many parts
    name: str,
    part: str,
    title: str,
    asked: Question,
    statements: Sequence[Statement],
    *,
    find: Callable[[Mapping[str, float]], Curves],
    instead: Sequence[Statement],
    code: Code,
    proofs: Callable[[], Sequence[Claim]] | None = None,
    settings: Sequence[Setting] = (),
    assumes: str = "",
    until: str = "",
    sources: Sequence[str] = (),
) -> Lesson:
    """Give a lesson of curves.

    Args:
        name: of its address.
        part: of the course.
        title: of the page.
        asked: what is predicted first.
        statements: what is explained.
        find: computes the curves at some settings.
        instead: what to do, each sentence with its test.
        code: scripts that do it.
        proofs: derives what is proved of it, when the page is built.
        settings: what may be changed.
        assumes: what is taken for given.
        until: where that stops being so.
        sources: who wrote about it.
    """
    return Lesson(
        name=name,
        part=part,
        title=title,
        question=asked,
        statements=tuple(statements),
        find=find,
        show=partial(show, instead=tuple(instead), code=code, proofs=proofs),
        settings=tuple(settings),
        sources=tuple(sources),
        assumes=assumes,
        until=until,
    )


def show(
    lesson: Lesson,
    found: Curves,
    *,
    instead: tuple[Statement, ...],
    code: Code,
    proofs: Callable[[], Sequence[Claim]] | None = None,
) -> Shown:
    """Build the sections. Arguments as of `lesson`."""
    drawn = "".join(f"<div>{_drawn(chart)}</div>" for chart in found.charts)
    kind = "sides" if len(found.charts) > 1 else "alone"
    drawn = f'<div class="{kind}">{drawn}</div>'
    run = f"{sliders(lesson.settings, found.settings)}<div data-renew>{drawn}</div>"
    proved = f"<h3>What is proved</h3>{claims_of_each(proofs())}" if proofs else ""
    explain = f"{stated(lesson.statements, found)}{bounds(lesson)}{proved}"
    done = f"{stated(instead, found)}{code.shown()}"
    return Shown(
        run=Section(title="Run", body=run),
        explain=Section(title="Explain", body=explain),
        instead=Section(title="What to do instead", body=done),
        summary=lesson.question.text,
    )


def _drawn(chart: Chart) -> str:
    lines, head, columns = [], [chart.x_label], []
    for place, curve in enumerate(chart.curves):
        style = style_of(place)
        if curve.theory:
            dashed = type(style)(colour="var(--s5)", dash="2 4", marker=style.marker)
            label = "theory" if place == 0 else ""
            lines.append(
                Line(label=label, x=chart.x, y=curve.theory, style=dashed, marks="none")
            )
        lines.append(Line(label=curve.label, x=chart.x, y=curve.y, style=style))
        head += [curve.label, *([f"theory, {curve.label}"] if curve.theory else [])]
        columns += [curve.y, *([curve.theory] if curve.theory else [])]
    frame = Frame(
        title=chart.title,
        description=chart.caption,
        x_label=chart.x_label,
        y_label=chart.y_label,
        is_log=chart.is_log,
        x_is_log=chart.x_is_log,
        height=300,
    )
    every = max(1, -(-len(chart.x) // MOST_ROWS))
    rows = [
        (f"{x:g}", *(float(column[place]) for column in columns))
        for place, x in enumerate(chart.x)
        if place % every == 0 or place == len(chart.x) - 1
    ]
    numbers = table(head, rows, caption=f"{chart.title}: {chart.y_label}")
    return figure(line_chart(lines, frame), caption=chart.caption, numbers=numbers)
