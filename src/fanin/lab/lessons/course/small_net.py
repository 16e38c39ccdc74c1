"""How a case of `fanin.derivation` becomes a lesson."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fanin.lab.lessons.lesson import Choice, Lesson, Question, Setting, Statement
from fanin.lab.lessons.stepping.data import INPUTS
from fanin.lab.lessons.stepping.evidence import evidence_of
from fanin.lab.lessons.stepping.show import show

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.lab.lessons.stepping.evidence import Evidence

    Asks = Callable[[Any], bool]  # of the lesson's own kind of evidence

EACH_ALIKE = (
    "A dense net, and an update that treats every parameter alike and by its gradient "
    "alone: gradient descent, with momentum, Adam, weight decay. The proofs are for "
    "all inputs, targets and learning rates; the run shows four samples."
)
ROUNDING = (
    "In floating point twins are exact where every unit adds in the same order, as "
    "here; a fast matrix product may round two columns differently, late and slightly."
)
GOODFELLOW = (
    "I. Goodfellow, Y. Bengio, A. Courville: Deep Learning (2016), section 8.4."
)


def choices(*pairs: tuple[str, Asks]) -> tuple[Choice, ...]:
    """Give choices from pairs of text and test."""
    return tuple(Choice(text=text, is_right=test) for text, test in pairs)


def question(text: str, *pairs: tuple[str, Asks]) -> Question:
    """Give a question from its text and pairs of choice and test."""
    return Question(text=text, choices=choices(*pairs))


def says(words: str | Callable[[Any], str], holds: Asks) -> Statement:
    """Give a statement; words may be a function that puts numbers into them."""
    if isinstance(words, str):
        text = words
        return Statement(words=lambda _: text, holds=holds)
    return Statement(words=words, holds=holds)


def moves(**steps: int | None) -> Asks:
    """Ask whether arrays first move at these updates; None for never.

    >>> callable(moves(W1=None, b2=1))
    True
    """
    return lambda e: all(e.step_of(t) == step for t, step in steps.items())


def stay_equal(e: Evidence) -> bool:
    """Ask whether all hidden units are proved to stay equal, and did in the run."""
    pairs = [
        (e.run.net.weight(1, i, 1), e.run.net.weight(1, i, 2))
        for i in e.run.net.units(0)
    ]
    return e.are_twins and all(e.run.spread(*pair) == 0 for pair in pairs)


def proved(words: str) -> Asks:
    """Ask whether the claim with these words is proved to hold."""
    return lambda e: e.claim(words).holds and e.claim(words).agrees is not False


def refuted(words: str) -> Asks:
    """Ask whether the claim with these words is refuted."""
    return lambda e: not e.claim(words).holds


def lesson(  # noqa: PLR0913 - a lesson has that many parts
    name: str,
    asked: Question,
    statements: Sequence[Statement],
    *,
    rate: float,
    net: str | None = None,
    constant: Setting | None = None,
    further: Sequence[Setting] = (),
    until: str = ROUNDING,
    sources: Sequence[str] = (GOODFELLOW,),
) -> Lesson:
    """Give the lesson of a case: its title is the case's own."""
    from fanin.derivation import find_case

    case = find_case(name)
    settings = [*([constant] if constant else []), *further, learning_rate(rate)]
    settings += [_input(1), _input(2)]
    return Lesson(
        name=case.name,
        part="Zero" if name.startswith("A") else "Constant and partly equal",
        title=case.title,
        question=asked,
        statements=tuple(statements),
        find=partial(evidence_of, name, net),
        show=show,
        settings=tuple(settings),
        sources=tuple(sources),
        assumes=EACH_ALIKE,
        until=until,
    )


def learning_rate(usual: float) -> Setting:
    """Give the setting of η."""
    return Setting(
        name="rate", label="learning rate η", usual=usual, low=0.01, high=1, step=0.01
    )


def _input(i: int) -> Setting:
    return Setting(
        name=f"x{i}",
        label=f"x{'₁' if i == 1 else '₂'} of sample 1",
        usual=INPUTS[0][i - 1],
        low=-3,
        high=3,
        step=0.1,
    )


def constant_c(usual: float) -> Setting:
    """Give the setting of the constant c."""
    return Setting(
        name="c", label="constant c", usual=usual, low=-1.5, high=1.5, step=0.05
    )


SLOPE = Setting(
    name="slope", label="φ′(0) of ReLU", usual=0.0, low=0.0, high=1.0, step=0.5
)
BETA = Setting(
    name="c", label="hidden bias β", usual=0.1, low=0.05, high=1.0, step=0.05
)
