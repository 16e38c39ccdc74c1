"""List the lessons, or write them as pages that need no server.

    fanin lesson                          the course, a line a lesson
    fanin lesson A1 B1 --out lessons      two lessons and an index, one file each
    fanin lesson --all --out lessons      the whole course

A file holds its frames: it plays without a server, and without JavaScript it shows the
first and the last state. `fanin lab` has the same lessons with sliders.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    import argparse

NAME = "lesson"
HELP = "list the lessons, or write them as one HTML file each"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which lessons, and where to."""
    parser.add_argument("names", nargs="*", metavar="LESSON", help="A1, C2, …")
    parser.add_argument("--all", action="store_true", help="every lesson")
    parser.add_argument("--out", metavar="DIR", help="the folder to write them to")


def run(arguments: argparse.Namespace) -> int:
    """List, or write."""
    from fanin.lab.lessons.course import course, find_lesson

    lessons = [find_lesson(name) for name in arguments.names]
    if arguments.all:
        lessons = list(course())
    if arguments.out is None:
        for lesson in lessons or course():
            sys.stdout.write(f"{lesson.name:4} {lesson.title}\n")
        return 0
    if not lessons:
        raise nothing_named()
    from fanin.lab.lessons.exporting import export

    for path in export(arguments.out, lessons):
        sys.stdout.write(f"{path}\n")
    return 0


def nothing_named() -> ArgumentError:
    """Give the error of --out with no lesson."""
    return ArgumentError.of("LESSON", "none", "names of lessons, or --all")
