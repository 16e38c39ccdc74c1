"""What a lesson is made of: a question, what is shown, and statements that are checked.

Neither an answer nor a number is typed: a choice is right, and a statement true, if the
engine's evidence says so, and a test asks it for every lesson.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.report.page import Section

# What a lesson's engine found; each kind of lesson has its own record.
Evidence = Any


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One answer to choose. is_right: asked of the evidence."""

    text: str
    is_right: Callable[[Evidence], bool]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is predicted before anything is shown. choices: two to four, one right."""

    text: str
    choices: tuple[Choice, ...]

    def answer(self, evidence: Evidence) -> int:
        """Give the place of the right choice, from 0.

        Raises:
            ArgumentError: unless exactly one choice is right.
        """
        right = [k for k, c in enumerate(self.choices) if c.is_right(evidence)]
        if len(right) != 1:
            raise _not_one(self.text, len(right))
        return right[0]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One sentence of a lesson. words: with the evidence's numbers; holds: is it so."""

    words: Callable[[Evidence], str]
    holds: Callable[[Evidence], bool]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A number that the reader may change. kind of control: a slider with a field."""

    name: str
    label: str
    usual: float
    low: float
    high: float
    step: float

    def read(self, text: str) -> float:
        """Read what an address or a form says.

        Raises:
            ArgumentError: if it is no number within the limits.

        >>> Setting(name="c", label="c", usual=0.5, low=0, high=1, step=0.1).read("0.2")
        0.2
        """
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not self.low <= value <= self.high:
            raise _out_of_range(self, text)
        return value


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A lesson, built: the sections after the question, and what the player plays.

    run, explain, instead: of the page, in this order. frames: by the name of a player;
    empty where nothing is played. summary: what happened, in a sentence.
    """

    run: Section
    explain: Section
    instead: Section
    summary: str
    frames: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One page of the course.

    name: of its address, "A1". part: of the course, "Zero". settings: what may be
    changed. find: runs the engine at some settings. show: makes the sections.
    sources: who wrote about it. assumes: what the proofs or measurements take for
    given; until: where that stops being so.
    """

    name: str
    part: str
    title: str
    question: Question
    statements: tuple[Statement, ...]
    find: Callable[[Mapping[str, float]], Evidence]
    show: Callable[[Lesson, Evidence], Shown]
    settings: tuple[Setting, ...] = ()
    sources: tuple[str, ...] = ()
    assumes: str = ""
    until: str = ""

    def read(self, query: Mapping[str, str]) -> dict[str, float]:
        """Give every setting, as asked or as usual; other words are left alone.

        Raises:
            ArgumentError: for a number out of its limits.
        """
        return {
            each.name: each.read(query[each.name])
            if each.name in query
            else float(each.usual)
            for each in self.settings
        }


def _not_one(question: str, n_right: int) -> ArgumentError:
    received = f"{n_right} right choices of {question!r}"
    return ArgumentError.of("question", received, "one right choice")


def _out_of_range(setting: Setting, text: str) -> ArgumentError:
    expected = f"a number from {setting.low:g} to {setting.high:g}"
    return ArgumentError.of(setting.name, text[:40], expected)
