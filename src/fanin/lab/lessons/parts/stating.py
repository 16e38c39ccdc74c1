"""The lesson's statements, each with what the engine says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.page import inline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.lab.lessons.lesson import Evidence, Lesson, Statement


def stated(statements: Sequence[Statement], evidence: Evidence) -> str:
    """Give the statements that hold of this evidence as a list.

    All hold at the usual settings, which a test asks for; at others the reader may have
    made one untrue, and then it is not said.
    """
    true = [one.words(evidence) for one in statements if one.holds(evidence)]
    items = "".join(f"<li>{inline(words)}</li>" for words in true)
    return f'<ul class="statements">{items}</ul>' if items else ""


def bounds(lesson: Lesson) -> str:
    """Give what is assumed, and where it stops being true."""
    rows = (("Assumed", lesson.assumes), ("Stops being true", lesson.until))
    items = "".join(
        f"<div><dt>{name}</dt><dd>{inline(words)}</dd></div>"
        for name, words in rows
        if words
    )
    return f'<dl class="bounds">{items}</dl>' if items else ""
