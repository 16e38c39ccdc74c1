"""The sections of a lesson on a small net: run, explain, what to do instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.lab.lessons.code import Job, code_tabs
from fanin.lab.lessons.lesson import Shown
from fanin.lab.lessons.parts.settings import sliders
from fanin.lab.lessons.parts.stating import bounds, stated
from fanin.lab.lessons.stepping.run import N_SEEDS, constant_loss
from fanin.lab.lessons.stepping.stage import stage
from fanin.lab.lessons.stepping.words import printed
from fanin.report.derivation.html import claims_of, moves_of, sections_of
from fanin.report.page import Section, figure, inline, table
from fanin.report.svg import Frame, Line, line_chart, style_of

if TYPE_CHECKING:
    from fanin.lab.lessons.lesson import Lesson
    from fanin.lab.lessons.stepping.evidence import Evidence
    from fanin.lab.lessons.stepping.run import Run


def show(lesson: Lesson, evidence: Evidence) -> Shown:
    """Build the sections and the frames of both players."""
    title = f"The {evidence.run.net.name} net of {lesson.name}"
    player, frames = stage("case", evidence, evidence.run, title)
    other = f"The same net from {evidence.scheme}"
    better, better_frames = stage("better", evidence, evidence.better, other)
    job = Job(run=evidence.run)
    code = (
        "<details><summary>The same in PyTorch, Keras and JAX</summary>"
        f"{code_tabs('case-code', job)}</details>"
    )
    run = sliders(lesson.settings, evidence.settings) + _broken(evidence.run) + player
    return Shown(
        run=Section(title="Run", body=run + code),
        explain=Section(title="Explain", body=_explain(lesson, evidence)),
        instead=Section(title="What to do instead", body=_instead(evidence, better)),
        summary=evidence.derivation.summary,
        frames={"case": frames, "better": better_frames},
    )


def _broken(run: Run) -> str:
    if not run.has_diverged:
        return ""
    n = len(run.moments) - 1
    words = (
        f"At this learning rate the numbers grow without bound: the run is broken off "
        f"after update {n}."
    )
    return f'<p class="notice warning"><span>{inline(words)}</span></p>'


def _explain(lesson: Lesson, evidence: Evidence) -> str:
    derivation = evidence.derivation
    setting = " · ".join(f"{key}: {value}" for key, value in derivation.setting.items())
    parts = "".join(
        f"<h3>{inline(part.title)}</h3>{part.body}" for part in sections_of(derivation)
    )
    moves = moves_of(derivation) if derivation.movements else ""
    return (
        f"{stated(lesson.statements, evidence)}{bounds(lesson)}"
        f"<h3>What is proved</h3>{_folded(claims_of(derivation))}{moves}"
        f'<details class="derived"><summary>The derivation, line by line</summary>'
        f'<p class="quiet">{inline(setting)}. Symbols stand for any inputs, targets '
        f"and learning rate.</p>{parts}</details>"
    )


def _folded(claims: str) -> str:
    """Fold the counterexamples too: the statements above say what they show."""
    return claims.replace("<details open>", "<details>")


def _instead(evidence: Evidence, player: str) -> str:
    good = evidence.better_far
    words = (
        f"Draw the weights: {evidence.scheme}, biases 0. The same net, the same four "
        f"samples, the same learning rate; seed {evidence.seeds[0]}. "
        f"{_how_often(evidence)}"
    )
    job = Job(run=evidence.better, scheme=evidence.scheme, seed=evidence.seeds[0])
    return (
        f"<p>{inline(words)}</p>{_losses(evidence.far, good, evidence)}{player}"
        f"{code_tabs('better-code', job)}"
    )


def _how_often(evidence: Evidence) -> str:
    """Say from how many seeds the net learns: a small net can be stuck anywhere."""
    n = len(evidence.seeds)
    if n == N_SEEDS:
        return f"All of the first {N_SEEDS} seeds get there."
    return (
        f"Of the first {N_SEEDS} seeds, {n} get there: a draw can be unlucky in a net "
        "this small, but none is stuck for the reason shown above."
    )


def _losses(case: Run, good: Run, evidence: Evidence) -> str:
    """Draw the loss of both starts, and the best that a constant can do."""
    floor = constant_loss(case.net, case.batch)
    n = max(len(case.losses), len(good.losses)) - 1
    lines = [
        _line("this case", case.losses, 1),
        _line(evidence.scheme, good.losses, 0),
        Line(
            label="best constant",
            x=[0.0, float(n)],
            y=[floor, floor],
            style=style_of(4),
            marks="none",
        ),
    ]
    caption = (
        f"Loss over {n} updates: from this case's start it ends at "
        f"{printed(case.losses[-1])}, from {evidence.scheme} at "
        f"{printed(good.losses[-1])}. The best constant prediction has "
        f"{printed(floor)}."
    )
    frame = Frame(
        title="Loss from both starts",
        description=caption,
        x_label="update",
        y_label="loss",
        height=260,
    )
    picks = sorted({0, 1, 5, 20, 50, 100, n})
    rows = [(str(k), _at(case.losses, k), _at(good.losses, k)) for k in picks if k <= n]
    numbers = table(["update", "this case", evidence.scheme], rows, caption="Loss")
    return figure(line_chart(lines, frame), caption=caption, numbers=numbers)


def _at(losses: tuple[float, ...], k: int) -> object:
    return losses[k] if k < len(losses) else "diverged"


def _line(label: str, losses: tuple[float, ...], look: int) -> Line:
    return Line(
        label=label,
        x=[float(k) for k in range(len(losses))],
        y=list(losses),
        style=style_of(look),
        marks="none",
    )
