"""Choose a scheme and a scale for each parameter, and say why. Nothing is changed.

fanin plan net.py:make --input 64x784
fanin plan net.py:make --policy gpt2 --override "head.*=zeros" -o plan.json
fanin plan net.py:make --code torch
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.cli.commands.command import add_output, check_output, emit, format_of
from fanin.cli.commands.model import add_subject, subject
from fanin.cli.commands.wishes import add_wishes, planned

if TYPE_CHECKING:
    import argparse

    from fanin.prescription import Plan

NAME = "plan"
HELP = "choose a scheme and a scale for each parameter, and say why"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the wishes and the output."""
    add_subject(parser)
    add_wishes(parser)
    parser.add_argument(
        "--code",
        metavar="FRAMEWORK",
        help="write plain initializer code in place of the plan: torch, keras or jax",
    )
    add_output(parser, "text", "json", "html")


def run(arguments: argparse.Namespace) -> int:
    """Plan, and write the plan out."""
    check_output(arguments)
    made = planned(subject(arguments), arguments)
    if arguments.code is not None:
        emit(arguments, made.code(arguments.code))
    else:
        emit(arguments, written(made, format_of(arguments)))
    return 0


def written(made: Plan, chosen: str) -> str:
    """Give the plan in a format."""
    from fanin.report.plan import page_of

    if chosen == "json":
        return made.to_json()
    return page_of(made) if chosen == "html" else str(made)
