"""Choose a scheme and a scale for each parameter, and say why. Nothing is changed.

fanin plan net.py:make --input 64x784
fanin plan net.py:make --scheme he_normal --override "head.*=zeros" -o plan.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import fanin
from fanin.cli.commands.command import add_output, check_output, emit, format_of
from fanin.cli.commands.model import add_subject, subject
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    import argparse

    from fanin.cli.commands.model import Subject
    from fanin.prescription import Plan

NAME = "plan"
HELP = "choose a scheme and a scale for each parameter, and say why"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model and the wishes."""
    add_subject(parser)
    add_wishes(parser)
    add_output(parser, "text", "json", "html")


def add_wishes(parser: argparse.ArgumentParser) -> None:
    """Add --scheme, --override, --law and --seed."""
    parser.add_argument("--scheme", metavar="SPEC", help="one scheme for every weight")
    parser.add_argument(
        "--override",
        metavar="PATTERN=SPEC",
        action="append",
        default=[],
        help='as in "head.*=zeros" or "encoder.*=keep"; may be given again',
    )
    parser.add_argument(
        "--law",
        default="normal",
        help="normal, uniform, truncated_normal or orthogonal; default: %(default)s",
    )
    parser.add_argument("--seed", type=int, help="of the numbers")


def run(arguments: argparse.Namespace) -> int:
    """Plan, and write the plan out."""
    check_output(arguments)
    made = planned(subject(arguments), arguments)
    emit(arguments, written(made, format_of(arguments)))
    return 0


def planned(it: Subject, arguments: argparse.Namespace) -> Plan:
    """Make the plan that the words ask for."""
    return fanin.plan(
        it.model,
        it.batch,
        it.loss,
        it.target,
        scheme=arguments.scheme,
        overrides=overrides(arguments.override),
        law=arguments.law,
        seed=arguments.seed,
    )


def written(made: Plan, chosen: str) -> str:
    """Give the plan in a format."""
    from fanin.report.plan import page_of

    if chosen == "json":
        return made.to_json()
    return page_of(made) if chosen == "html" else str(made)


def overrides(texts: list[str]) -> dict[str, str]:
    """Read ``PATTERN=SPEC`` texts.

    Raises:
        ArgumentError: if a text has no "=".

    >>> overrides(["head.*=normal(std=0.02)"])
    {'head.*': 'normal(std=0.02)'}
    """
    found = {}
    for text in texts:
        pattern, equals, spec = text.partition("=")
        if not (pattern and equals and spec):
            raise ArgumentError.of(
                argument="--override",
                received=text,
                expected='a pattern and a scheme, as in "head.*=zeros"',
            )
        found[pattern] = spec
    return found
