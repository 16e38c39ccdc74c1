"""The lessons: the course's index, a page a case, its numbers at other settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.lab.seam import Answer, Asked, Route, View
from fanin.report.page import inline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.lab.seam import House


@dataclass(frozen=True, kw_only=True)
class Lessons:
    """The handlers."""

    house: House

    def index(self, _: Asked) -> Answer:
        """Give the course in order."""
        from fanin.lab.lessons.exporting import LEAD
        from fanin.lab.lessons.page import contents

        return self.house.page(
            VIEW,
            title="The lesson: initial weights",
            lead=f'<p class="lead">{LEAD}</p>',
            body=contents(link="/lessons/{name}"),
            modules=("index.js",),
            styles=("lessons.css",),
        )

    def lesson(self, asked: Asked) -> Answer:
        """Give a lesson at the settings of the address."""
        from fanin.lab.lessons.course import find_lesson
        from fanin.lab.lessons.page import embedded, joined, parts, steps

        lesson = find_lesson(asked.path["case"])
        built, shown = parts(lesson, lesson.read(asked.query))
        files = (
            f'<p class="files"><a href="/lessons/{lesson.name}/file" data-file>This '
            "lesson as one file</a></p>"
        )
        return self.house.page(
            VIEW,
            title=f"{lesson.name}: {lesson.title}",
            lead=f'<p class="quiet part-name">{inline(lesson.part)}</p>',
            body=joined(built)
            + files
            + steps(lesson, link="/lessons/{name}")
            + embedded(shown.frames),
            modules=("player.js", "live.js"),
            styles=("lessons.css",),
        )

    def file(self, asked: Asked) -> Answer:
        """Give a lesson as one file to keep, at the settings of the address."""
        from fanin.lab.lessons.course import find_lesson
        from fanin.lab.lessons.exporting import lesson_file

        lesson = find_lesson(asked.path["case"])
        text = lesson_file(lesson, lesson.read(asked.query))
        return Answer.of_file(text, name=f"{lesson.name}.html", media="text/html")


def routes(house: House) -> Sequence[Route]:
    """Give the index, the pages, and the files."""
    lessons = Lessons(house=house)
    return (
        Route(path="/lessons", handler=lessons.index),
        Route(path="/lessons/{case}", handler=lessons.lesson),
        Route(path="/lessons/{case}/file", handler=lessons.file),
    )


VIEW = View(
    name="lessons",
    title="Lessons",
    order=1,
    routes=routes,
    assets="fanin.lab.lessons.static",
)
