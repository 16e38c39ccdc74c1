"""The course: a file a part, each with the lessons of that part in order."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from fanin.errors import UnknownNameError

if TYPE_CHECKING:
    from fanin.lab.lessons.lesson import Lesson


@cache
def course() -> tuple[Lesson, ...]:
    """Give all lessons in order.

    >>> [lesson.name for lesson in course()][:3]
    ['A1', 'A2', 'A3']
    """
    from fanin.lab.lessons.course import (
        constant,
        laws,
        practice,
        right,
        scale,
        zero,
    )

    parts = (zero, constant, scale, right, laws, practice)
    return tuple(lesson for part in parts for lesson in part.LESSONS)


def find_lesson(name: str) -> Lesson:
    """Give the lesson of that name, in any case of letters.

    Raises:
        UnknownNameError: if there is none.
    """
    for lesson in course():
        if lesson.name.lower() == name.lower():
            return lesson
    known = [lesson.name for lesson in course()]
    kind = "lesson"
    raise UnknownNameError.of(kind, name[:40], known)
