"""Say whether weights are a plan's: draw a sample of its numbers again and compare.

    fanin verify seed/
    fanin verify seed/ --plan plan.json
    fanin verify weights.safetensors --plan plan.json
    fanin verify net.py:make --plan plan.json
    fanin verify weights.pt --arch net.py:make --plan plan.json

TARGET may be a checkpoint (a folder of safetensors files, or one of them), which is
read entry by entry and not loaded, or a model. Exit code 1: they are not the plan's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import fanin
from fanin.cli.commands.command import add_output, check_output, emit, format_of
from fanin.cli.commands.model import add_model, opened
from fanin.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from fanin.prescription.verification import Verification

NAME = "verify"
HELP = "say whether weights are those of a plan"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is looked at, the plan, and how much of it."""
    add_model(parser)
    parser.add_argument(
        "--plan",
        metavar="FILE",
        help="JSON; default: the fanin.plan.json in a checkpoint's folder",
    )
    parser.add_argument(
        "--seed", type=int, help="from which the plan was applied; default: its own"
    )
    parser.add_argument(
        "--sample",
        metavar="N",
        default="4096",
        help="numbers of a large parameter to look at, or all; default: %(default)s",
    )
    add_output(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Compare; 0 if the weights are the plan's, else 1."""
    check_output(arguments)
    found = _verified(arguments)
    is_json = format_of(arguments) == "json"
    emit(arguments, found.to_json() if is_json else str(found))
    return 0 if found else 1


def _verified(arguments: argparse.Namespace) -> Verification:
    plan = arguments.plan
    if plan is None and not Path(arguments.model).is_dir():
        message = "Give --plan plan.json: only a checkpoint has a plan beside it."
        raise UsageError(message)
    wanted = {"seed": arguments.seed, "sample": _sample(arguments.sample)}
    return fanin.verify(_target(arguments), plan, **wanted)


def _target(arguments: argparse.Namespace) -> Any:  # noqa: ANN401 (a model is any object)
    """Give a checkpoint's path, or the model that a TARGET names."""
    from fanin.checkpoints.reading import is_checkpoint

    if arguments.arch is None and is_checkpoint(arguments.model):
        return Path(arguments.model)
    return opened(arguments).model


def _sample(text: str) -> int | None:
    """Read a number of entries, or "all".

    Raises:
        UsageError: if it is neither.

    >>> _sample("512"), _sample("all")
    (512, None)
    """
    if text == "all":
        return None
    if not text.isdigit():
        message = f"--sample takes a number from 1 on, or all. Received: {text!r}."
        raise UsageError(message)
    return int(text)
