"""A lesson's page: predict, run, explain, what to do instead, sources."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from fanin.lab.lessons.course import course, find_lesson
from fanin.lab.lessons.parts.predicting import predicting
from fanin.report.page import Section, inline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.lab.lessons.lesson import Lesson, Shown


def parts(lesson: Lesson, settings: Mapping[str, float]) -> tuple[list[Section], Shown]:
    """Build a lesson: its sections, and what it was made of."""
    evidence = lesson.find(settings)
    shown = lesson.show(lesson, evidence)
    after = [shown.run, shown.explain, shown.instead]
    if lesson.sources:
        items = "".join(f"<li>{inline(source)}</li>" for source in lesson.sources)
        body = f'<ul class="sources">{items}</ul>'
        after.append(Section(title="Sources", body=body))
    hidden = [replace(p, body=f'<div class="after">{p.body}</div>') for p in after]
    return [predicting(lesson.question, answer_of(lesson.name)), *hidden], shown


@lru_cache(maxsize=128)
def answer_of(name: str) -> int:
    """Give the right choice of a lesson, which is asked of its usual settings."""
    lesson = find_lesson(name)
    return lesson.question.answer(lesson.find(lesson.read({})))


def joined(built: Sequence[Section]) -> str:
    """Give sections as the HTML of a page's body."""
    return "".join(
        f'<section aria-labelledby="{part.link}" class="part-{part.link}">'
        f'<h2 id="{part.link}">{inline(part.title)}</h2>{part.body}</section>'
        for part in built
    )


def embedded(frames: Mapping[str, object]) -> str:
    """Give the frames as a block of JSON: data, which no browser runs."""
    told = {"frames": dict(frames)}
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    safe = text.replace("<", "\\u003c")
    return f'<script type="application/json" id="fanin-data">{safe}</script>'


def steps(lesson: Lesson, *, link: str, among: Sequence[Lesson] = ()) -> str:
    """Give the way to the lesson before and after.

    Args:
        lesson: where the reader is.
        link: of a lesson, ``{name}`` being its name.
        among: the lessons that there are; the course if empty.
    """
    lessons = tuple(among) or course()
    place = lessons.index(lesson)
    found = []
    if place:
        found.append(_step("Before", lessons[place - 1], link))
    if place + 1 < len(lessons):
        found.append(_step("Next", lessons[place + 1], link))
    return f'<nav class="steps" aria-label="Lessons"><ul>{"".join(found)}</ul></nav>'


def _step(word: str, lesson: Lesson, link: str) -> str:
    address = link.replace("{name}", lesson.name)
    return (
        f'<li>{word}: <a href="{address}">{inline(lesson.name)} '
        f"{inline(lesson.title)}</a></li>"
    )


def contents(*, link: str, among: Sequence[Lesson] = ()) -> str:
    """Give lessons as a list: parts, titles, and what each one asks.

    Arguments as of `steps`.
    """
    found: dict[str, list[str]] = {}
    for lesson in tuple(among) or course():
        address = link.replace("{name}", lesson.name)
        found.setdefault(lesson.part, []).append(
            f'<li data-lesson="{lesson.name}"><a href="{address}">'
            f'<span class="id">{inline(lesson.name)}</span> {inline(lesson.title)}</a>'
            f'<p class="quiet">{inline(lesson.question.text)}</p></li>'
        )
    return "".join(
        f'<section class="part"><h2>{inline(part)}</h2>'
        f'<ul class="lessons-list">{"".join(items)}</ul></section>'
        for part, items in found.items()
    )
