"""Lessons as files: one page each that needs no server, and an index of the course."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from fanin.errors import OutputError
from fanin.files import write_text
from fanin.lab.lessons.course import course
from fanin.lab.lessons.page import contents, parts, steps
from fanin.lab.lessons.parts.settings import as_text
from fanin.report import page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fanin.lab.lessons.lesson import Lesson

LEAD = (
    "What initial weights do to learning: predict, run, explain. Every number is "
    "computed by the engine that checks real models, and every statement is tested "
    "against it."
)
FIXED = "The numbers of this file are fixed; fanin lab has sliders for them."


def asset(name: str) -> str:
    """Give the text of a file of the lessons' assets."""
    folder = files("fanin.lab.lessons.static")
    return folder.joinpath(name).read_text(encoding="utf-8")


def lesson_file(
    lesson: Lesson, settings: Mapping[str, float], beside: Sequence[Lesson] = ()
) -> str:
    """Give a lesson as one HTML document with its frames inside.

    It asks no host for anything and works from a folder; without JavaScript it shows
    the first and the last state.
    """
    built, shown = parts(lesson, settings)
    return page.page(
        title=f"{lesson.name}: {lesson.title}",
        lead=_style() + f'<p class="lead">{page.inline(lesson.part)}</p>',
        sections=[_without_sliders(part) for part in built],
        footer=as_text(lesson.settings, settings)
        + f"<p>{FIXED}</p>"
        + (steps(lesson, link="{name}.html", among=beside) if beside else ""),
        data={"lesson": lesson.name, "frames": dict(shown.frames)},
        script=asset("player.js"),
    )


def index_file(lessons: Sequence[Lesson]) -> str:
    """Give an index with links to the lessons' files beside it."""
    body = contents(link="{name}.html", among=lessons)
    return page.page(
        title="The lesson: initial weights",
        lead=f'{_style()}<p class="lead">{LEAD}</p>',
        sections=[page.Section(title="The course", body=body)],
    )


def export(folder: str | Path, lessons: Sequence[Lesson] = ()) -> Iterator[Path]:
    """Write lessons and the index into a folder, one file each.

    Args:
        folder: made if it is not there.
        lessons: which; all of the course if none is given.

    Yields:
        The path of each file, as soon as it is written.

    Raises:
        OutputError: if a file cannot be written.
    """
    where = _made(folder)
    written = tuple(lessons) or course()
    for lesson in written:
        text = lesson_file(lesson, lesson.read({}), beside=written)
        yield write_text(where / f"{lesson.name}.html", text)
    yield write_text(where / "index.html", index_file(written))


def _made(folder: str | Path) -> Path:
    """Give the folder, made if its parent is there.

    Raises:
        OutputError: if it cannot be made.
    """
    where = Path(folder)
    try:
        where.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError.of(where, error.strerror or str(error)) from error
    return where


def _style() -> str:
    return f"<style>{asset('lessons.css')}</style>"


def _without_sliders(part: page.Section) -> page.Section:
    """Take the form of settings out: a file cannot compute."""
    start = part.body.find('<form class="settings"')
    if start < 0:
        return part
    end = part.body.index("</form>", start) + len("</form>")
    return page.Section(title=part.title, body=part.body[:start] + part.body[end:])
