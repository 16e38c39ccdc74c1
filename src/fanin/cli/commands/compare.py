"""Race schemes by training on real data: the lesson's practical proof.

fanin compare                                       the lesson, on digits
fanin compare --schemes he_normal,glorot_normal --depth 30 --seeds 5
fanin compare --framework keras -o comparison.html
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import fanin
from fanin.cli.commands.command import (
    add_output,
    check_output,
    emit,
    format_of,
    is_coloured,
)
from fanin.cli.words import counts, names, numbers

if TYPE_CHECKING:
    import argparse

NAME = "compare"
HELP = "race schemes by training on real data"
DEFAULT_WIDTH = 110


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the factors of the experiment; what is left out takes its default."""
    add = parser.add_argument
    add("--schemes", type=names, metavar="A,B", help="as `fanin schemes` lists them")
    add("--activations", type=names, metavar="A,B", help="default: tanh,relu")
    add("--seeds", type=counts, metavar="N", help="how many seeds; default: 3")
    add("--depth", type=int, metavar="N", help="hidden layers")
    add("--width", type=int, metavar="N", help="units of each")
    add("--optimizer", help="sgd, momentum or adam")
    add("--learning-rates", type=numbers, metavar="X,Y", help="one grid for all")
    add("--steps", type=int, metavar="N", dest="n_steps", help="training steps")
    add("--batch-size", type=int, metavar="N")
    add("--data", help="digits or moons")
    add("--framework", help="torch or keras")
    add("--jobs", type=int, metavar="N", help="processes; default: one a core")
    add("--no-progress", action="store_true", help="draw no progress bar")
    add_output(parser, "text", "markdown", "json", "html")


SETTINGS = (
    "schemes",
    "activations",
    "seeds",
    "depth",
    "width",
    "optimizer",
    "learning_rates",
    "n_steps",
    "batch_size",
    "data",
    "framework",
)


def run(arguments: argparse.Namespace) -> int:
    """Race, and write the comparison out."""
    check_output(arguments)
    wanted = {name: getattr(arguments, name) for name in SETTINGS}
    comparison = fanin.compare(
        progress=not arguments.no_progress,
        n_jobs=arguments.jobs,
        **{name: value for name, value in wanted.items() if value is not None},
    )
    width = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
    writers = {
        "markdown": comparison.to_markdown,
        "json": comparison.to_json,
        "html": comparison.to_html,
    }
    chosen = format_of(arguments)
    if chosen in writers:
        emit(arguments, writers[chosen]())
    else:
        colour = is_coloured(arguments)
        emit(arguments, comparison.to_text(width=width, is_coloured=colour))
    return 0
