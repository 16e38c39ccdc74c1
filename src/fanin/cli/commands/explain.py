"""Prove or refute a case of the lesson with symbols, or show an activation's theory.

fanin explain                          all cases
fanin explain zero                     no weight ever moves; the output bias does
fanin explain constant --net 3-4-4-2 --activation tanh --loss cross_entropy
fanin explain he                       He's variance, derived
fanin explain zero -o zero.html        as a page, with MathML
fanin explain theory --activation gelu --sigma-w 1.5    what depth does to it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import fanin
from fanin.cli.commands.command import (
    add_output,
    check_output,
    emit,
    format_of,
    is_coloured,
)

if TYPE_CHECKING:
    import argparse

    from fanin.report.derivation import Lesson
    from fanin.report.theory import TheoryLesson

NAME = "explain"
HELP = "prove or refute a case of the lesson, or show an activation's theory"
THEORY = "theory"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the case and the net it is about."""
    parser.add_argument("case", nargs="?", metavar="CASE", help="A1, zero, glorot, …")
    parser.add_argument("--net", metavar="WIDTHS", help="as in 3-4-4-2")
    parser.add_argument("--activation", metavar="NAME", help="of the hidden units")
    parser.add_argument("--loss", metavar="NAME", help="mse, bce or cross_entropy")
    parser.add_argument(
        "--constant", type=float, metavar="C", help="a number for the case's constant"
    )
    parser.add_argument(
        "--slope-at-zero", type=float, metavar="S", help="φ′(0) where φ has a kink"
    )
    parser.add_argument(
        "--steps", type=int, default=10, help="of the run; default: %(default)s"
    )
    parser.add_argument(
        "--rate", type=float, default=0.1, help="η of the run; default: %(default)s"
    )
    parser.add_argument(
        "--proofs", action="store_true", help="show each line of each proof"
    )
    theory = parser.add_argument_group("the case 'theory' alone")
    theory.add_argument(
        "--sigma-w",
        type=float,
        metavar="W",
        help="√(fan_in·Var[w]); default: the activation's forward gain",
    )
    theory.add_argument(
        "--sigma-b", type=float, metavar="B", help="std of the biases; default: 0"
    )
    theory.add_argument(
        "--q", type=float, help="second moment of the first pre-activations; default: 1"
    )
    theory.add_argument("--depth", type=int, help="layers; default: 50")
    add_output(parser, "text", "markdown", "latex", "html", "json")


def run(arguments: argparse.Namespace) -> int:
    """Derive, and write the derivation out."""
    check_output(arguments)
    if arguments.case is None:
        emit(arguments, list_of_cases())
        return 0
    emit(arguments, _written(_lesson(arguments), arguments))
    return 0


def _lesson(arguments: argparse.Namespace) -> Lesson | TheoryLesson:
    theory = {
        name: getattr(arguments, name) for name in ("sigma_w", "sigma_b", "q", "depth")
    }
    lesson: Lesson | TheoryLesson = fanin.explain(
        arguments.case,
        net=arguments.net,
        activation=arguments.activation,
        loss=arguments.loss,
        constant=arguments.constant,
        slope_at_zero=arguments.slope_at_zero,
        steps=arguments.steps,
        rate=arguments.rate,
        **theory,
    )
    return lesson


def list_of_cases() -> str:
    """Give one line a case: its id, its words, its title."""
    from fanin.derivation import CASES
    from fanin.derivation.scales.pages import PAGES

    rows = [(c.name, c.aliases[0], c.title) for c in CASES.values()]
    rows += [(p.aliases[-1].upper(), p.name, p.title) for p in PAGES]
    rows.append(("", THEORY, "Mean field theory of an activation, with numbers"))
    width = max(len(word) for _, word, _ in rows)
    return "\n".join(f"{case:3} {word:{width}}  {title}" for case, word, title in rows)


def _written(lesson: Lesson | TheoryLesson, arguments: argparse.Namespace) -> str:
    chosen = format_of(arguments)
    if chosen == "text":
        return _as_text(lesson, arguments)
    writers = {
        "markdown": lesson.to_markdown,
        "latex": lesson.to_latex,
        "html": lesson.to_html,
        "json": lesson.to_json,
    }
    return writers[chosen]()


def _as_text(lesson: Lesson | TheoryLesson, arguments: argparse.Namespace) -> str:
    from fanin.report.theory import TheoryLesson

    styled = is_coloured(arguments)
    if isinstance(lesson, TheoryLesson):
        return lesson.to_text(styled=styled)
    return lesson.to_text(proofs=arguments.proofs, styled=styled)
