"""The sections of a lesson on deep nets: figures, statements, what to do instead."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from fanin.lab.lessons.code.deep import deep_tabs
from fanin.lab.lessons.lesson import Shown
from fanin.lab.lessons.parts.settings import sliders
from fanin.lab.lessons.parts.stating import bounds, stated
from fanin.report.derivation.html import claims_of, sections_of
from fanin.report.page import Section, figure, inline, number, table
from fanin.report.svg import Frame, Line, line_chart, style_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.derivation.records import Derivation
    from fanin.lab.lessons.layers.evidence import Look, Looks
    from fanin.lab.lessons.lesson import Lesson

LEAST = 1e-40
"""Sizes below are left out of a logarithmic chart."""


def show(lesson: Lesson, found: Looks, derivation: str = "") -> Shown:
    """Build the sections.

    Args:
        lesson: what is shown.
        found: its starts.
        derivation: the page of `fanin.derivation` whose proofs are shown; "" for none.
    """
    drawn = f'<div class="sides"><div>{_signal(found)}</div>'
    drawn += f"<div>{_gradient(found)}</div></div>"
    run = f"{sliders(lesson.settings, found.settings)}<div data-renew>{drawn}</div>"
    proofs = _proofs(derivation) if derivation else ""
    explain = f"{stated(lesson.statements, found)}{bounds(lesson)}{proofs}"
    instead = f"<p>{inline(_words(found))}</p>{_training(found)}{deep_tabs(found)}"
    return Shown(
        run=Section(title="Run", body=run),
        explain=Section(title="Explain", body=explain),
        instead=Section(title="What to do instead", body=instead),
        summary=lesson.question.text,
    )


@lru_cache(maxsize=16)
def derived(name: str) -> Derivation:
    """Derive a scheme, once."""
    from fanin.derivation import explain

    return explain(name)


def _proofs(name: str) -> str:
    found = derived(name)
    parts = "".join(
        f"<h4>{inline(part.title)}</h4>{part.body}" for part in sections_of(found)
    )
    claims = claims_of(found).replace("<details open>", "<details>")
    return (
        f"<h3>{inline(found.title)}</h3><p>{inline(found.summary)}</p>{parts}"
        f"<details><summary>What is proved of it</summary>{claims}</details>"
    )


def _words(found: Looks) -> str:
    recipe = found.better.variant.recipe
    return (
        f"{found.better.label}: {recipe.scheme} with {recipe.activation}. The same "
        "net, the same data, the same seed."
    )


def _signal(found: Looks) -> str:
    said = "; ".join(
        f"{one.label}: from {number(one.reading.rms[0])} to "
        f"{number(one.reading.rms[-2])}, ×{number(one.per_layer)} a layer"
        for one in found.looks
    )
    return _by_layer(
        found,
        "Signal by layer",
        "root mean square of z",
        f"{said}.",
        lambda one: one.reading.rms[:-1],
        lambda one: one.expected.rms[:-1] if one.expected else (),
    )


def _gradient(found: Looks) -> str:
    said = "; ".join(
        f"{one.label}: from {number(one.reading.gradient_rms[-1])} at the output to "
        f"{number(one.reading.gradient_rms[0])} at layer 1"
        for one in found.looks
    )
    return _by_layer(
        found,
        "Gradient by layer",
        "root mean square of dL/dz",
        f"{said}.",
        lambda one: one.reading.gradient_rms,
        lambda one: one.expected.gradient_rms if one.expected else (),
    )


def _by_layer(
    found: Looks,
    title: str,
    axis: str,
    caption: str,
    measured: Callable[[Look], Sequence[float]],
    theory: Callable[[Look], Sequence[float]],
) -> str:
    """Draw what was measured of every start, and theory's dashes beside it."""
    lines, head, columns = [], ["layer"], []
    for place, one in enumerate(found.looks):
        look = style_of(place)
        beside = list(theory(one))
        if beside:
            lines.append(_theory(beside, place))
        lines.append(
            Line(
                label=one.label,
                x=_layers(measured(one)),
                y=_seen(measured(one)),
                style=look,
                marks="some",
            )
        )
        head += [one.label, *([f"theory, {one.label}"] if beside else [])]
        columns += [list(measured(one)), *([beside] if beside else [])]
    frame = Frame(
        title=title,
        description=caption,
        x_label="layer",
        y_label=axis,
        is_log=True,
        height=300,
    )
    rows = [
        (str(layer + 1), *(float(column[layer]) for column in columns))
        for layer in range(len(columns[0]))
    ]
    numbers = table(head, rows, caption=f"{title}: {axis}")
    return figure(line_chart(lines, frame), caption=caption, numbers=numbers)


def _theory(values: Sequence[float], place: int) -> Line:
    look = style_of(place)
    dashed = type(look)(colour="var(--s5)", dash="2 4", marker=look.marker)
    return Line(
        label="theory" if place == 0 else "",
        x=_layers(values),
        y=_seen(values),
        style=dashed,
        marks="none",
    )


def _layers(values: Sequence[float]) -> list[float]:
    return [float(layer) for layer in range(1, len(values) + 1)]


def _seen(values: Sequence[float]) -> list[float]:
    return [0.0 if not abs(value) > LEAST else value for value in values]


def _training(found: Looks) -> str:
    """Draw the loss of every start in training."""
    lines = [
        Line(
            label=one.label,
            x=[float(step) for step in range(len(one.losses))],
            y=list(one.losses),
            style=style_of(place),
            marks="none",
        )
        for place, one in enumerate(found.looks)
        if len(one.losses) > 1
    ]
    said = "; ".join(f"{one.label}: {_fate(one)}" for one in found.looks)
    recipe = found.case.variant.recipe
    caption = (
        f"Trained side by side on {recipe.data}, {recipe.optimizer}, learning rate "
        f"{recipe.learning_rate:g}. {said}."
    )
    frame = Frame(
        title="Loss in training",
        description=caption,
        x_label="update",
        y_label="cross-entropy",
        is_log=True,
        height=260,
    )
    rows = [
        (
            str(step),
            *(
                one.losses[step] if step < len(one.losses) else "not finite"
                for one in found.looks
            ),
        )
        for step in range(0, max(len(one.losses) for one in found.looks), 10)
    ]
    head = ["update", *(one.label for one in found.looks)]
    return figure(
        line_chart(lines, frame),
        caption=caption,
        numbers=table(head, rows, caption="Loss by update"),
    )


def _fate(one: Look) -> str:
    if len(one.losses) < 2:
        return "no finite loss"
    return f"from {number(one.losses[0])} to {number(one.recent_loss)}"
