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
    lessons = (lesson for part in parts for lesson in part.LESSONS)
    return tuple(sorted(lessons, key=lambda each: _place(each.name)))


def _place(name: str) -> tuple[str, int]:
    """Give where a lesson stands: by its letter, then by its number.

    >>> sorted(["B1", "A10", "A9"], key=_place)
    ['A9', 'A10', 'B1']
    """
    return name[0], int(name[1:])


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
