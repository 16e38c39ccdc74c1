"""One factor, measured beside what theory says of it: depth, or width.

fanin study depth --activation relu --depths 5,10,20,40 -o depth.html
fanin study width                                  an MLP on digits, as built and muP
fanin study width net.py:make --input data.npz --loss cross_entropy
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fanin
from fanin.cli import inputs
from fanin.cli.commands.command import add_output, check_output, emit, format_of
from fanin.cli.targets.python_object import load
from fanin.cli.words import counts, names, numbers

if TYPE_CHECKING:
    import argparse

NAME = "study"
HELP = "measure one factor, depth or width, beside theory"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the studies, each with its own options."""
    studies = parser.add_subparsers(dest="study", required=True, metavar="STUDY")
    _add_depth(studies.add_parser("depth", help="which depths train at which σ_w"))
    _add_width(
        studies.add_parser(
            "width", help="the coordinate check, and whether learning rates carry over"
        )
    )


def _add_depth(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--activation", help="default: tanh")
    add("--sigmas", type=numbers, metavar="X,Y", help="σ_w = √(fan_in·Var[w])")
    add("--depths", type=whole_numbers, metavar="A,B", help="hidden layers")
    add("--width", type=int, metavar="N", help="units of each layer")
    add("--optimizer", help="sgd, momentum or adam")
    add("--learning-rates", type=numbers, metavar="X,Y")
    add("--steps", type=int, metavar="N", dest="n_steps")
    add("--data", help="digits or moons")
    add("--framework", help="torch or keras")
    add("--jobs", type=int, metavar="N", dest="n_jobs", help="default: one a core")
    _add_common(parser)


def _add_width(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "make",
        nargs="?",
        metavar="TARGET",
        help="pkg.module:make, called as make(width=…); default: an MLP on digits",
    )
    add("--input", metavar="INPUT", help="batch.npz with x and y, or pkg.module:batch")
    add("--target", metavar="INPUT")
    add("--loss", metavar="LOSS", help="mse, cross_entropy, binary_cross_entropy")
    add("--widths", type=whole_numbers, metavar="A,B")
    add("--base", type=int, metavar="N", help="the width that muP compares with")
    add("--policies", type=names, metavar="A,B", help='default: "as built",mup')
    add("--optimizer", help="adam, adamw or sgd")
    add("--learning-rate", type=float, metavar="X")
    add("--steps", type=int, metavar="N", dest="n_steps", help="of the check")
    add("--rates", type=numbers, metavar="X,Y", help="grid of the transfer")
    add("--train-steps", type=int, metavar="N", dest="n_train_steps")
    add("--batch-size", type=int, metavar="N")
    _add_common(parser)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seeds", type=counts, metavar="N", help="how many; default: 3"
    )
    parser.add_argument("--no-progress", action="store_true", help="draw no bar")
    add_output(parser, "text", "json", "html")


def whole_numbers(text: str) -> tuple[int, ...]:
    """Read a list of whole numbers.

    >>> whole_numbers("4,8")
    (4, 8)
    """
    return tuple(int(number) for number in names(text))


SETTINGS = {
    "depth": (
        "activation", "sigmas", "depths", "seeds", "width", "optimizer",
        "learning_rates", "n_steps", "data", "framework", "n_jobs",
    ),
    "width": (
        "widths", "base", "policies", "seeds", "optimizer", "learning_rate", "n_steps",
        "rates", "n_train_steps", "batch_size",
    ),
}  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Run the study, and write it out."""
    check_output(arguments)
    chosen = format_of(arguments)
    wanted: dict[str, Any] = {
        name: getattr(arguments, name)
        for name in SETTINGS[arguments.study]
        if getattr(arguments, name) is not None
    }
    wanted["progress"] = not arguments.no_progress
    result = (
        fanin.depth_study(**wanted)
        if arguments.study == "depth"
        else fanin.width_study(*_subject(arguments), **wanted)
    )
    writers = {"json": result.to_json, "html": result.to_html}
    emit(arguments, writers.get(chosen, result.to_text)())
    return 0


def _subject(arguments: argparse.Namespace) -> tuple[Any, Any, Any, Any]:
    """Give the maker, batch, loss and target; None for each that was not named."""
    batch, target = None, None
    if arguments.input is not None:
        batch, target = inputs.split(inputs.read(arguments.input, seed=0))
    if arguments.target is not None:
        target, _ = inputs.split(inputs.read(arguments.target, seed=0))
    loss = arguments.loss
    if loss is not None and ":" in loss:
        loss = load(loss)
    return None if arguments.make is None else load(arguments.make), batch, loss, target
