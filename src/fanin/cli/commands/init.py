"""Give a model its initial weights, and save them: all parameters, or none.

    fanin init net.py:make --input 64x784 --seed 1 -o weights.npz

The suffix of the file says how it is written: .npz (any framework), .pt (a PyTorch
state_dict), .keras or .weights.h5 (Keras).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import fanin
from fanin.cli.commands.model import add_subject, subject
from fanin.cli.commands.wishes import add_wishes, planned
from fanin.files import ensure_writable, write_text

if TYPE_CHECKING:
    import argparse

NAME = "init"
HELP = "give a model its initial weights, and save them"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the wishes, and where the weights go."""
    add_subject(parser)
    add_wishes(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="where the weights go"
    )
    parser.add_argument("--plan", metavar="FILE", help="save the plan there, as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Plan, write into the model, save, and show the plan."""
    from fanin.frameworks.find import find

    ensure_writable(arguments.output)
    if arguments.plan is not None:
        ensure_writable(arguments.plan)
    it = subject(arguments)
    framework = find(it.model)
    framework.require_format(arguments.output)
    made = planned(it, arguments)
    framework.save(fanin.apply(made, it.model), arguments.output)
    if arguments.plan is not None:
        write_text(arguments.plan, made.to_json())
    sys.stdout.write(f"{made}\n")
    return 0
