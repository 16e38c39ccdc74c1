"""Give a model its initial weights, and save them: all parameters, or none.

    fanin init net.py:make --input 64x784 --seed 1 -o weights.npz
    fanin init llama/config.json --dtype bfloat16 --out seed/

The suffix of a file says how it is written: .npz (any framework), .pt (a PyTorch
state_dict), .safetensors, .keras or .weights.h5 (Keras). A folder (--out) gets a
checkpoint of any size, written without the model ever being in memory.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import fanin
from fanin.cli.commands.model import add_subject, subject
from fanin.cli.commands.seeding import add_seeding, run_seeding
from fanin.cli.commands.wishes import add_wishes, planned
from fanin.errors import UsageError
from fanin.files import ensure_writable, write_text

if TYPE_CHECKING:
    import argparse

NAME = "init"
HELP = "give a model its initial weights, and save them"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the wishes, and where the weights go."""
    add_subject(parser)
    add_wishes(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="where the weights go")
    parser.add_argument("--plan", metavar="FILE", help="save the plan there, as JSON")
    add_seeding(parser)


def run(arguments: argparse.Namespace) -> int:
    """Plan, write into the model, save, and show the plan."""
    from fanin.frameworks.find import find

    _require_one_place(arguments)
    if arguments.plan is not None:
        ensure_writable(arguments.plan)
    if arguments.out is not None:
        return run_seeding(arguments)
    ensure_writable(arguments.output)
    it = subject(arguments)
    framework = find(it.model)
    framework.require_format(arguments.output)
    made = planned(it, arguments)
    framework.save(fanin.apply(made, it.model), arguments.output)
    if arguments.plan is not None:
        write_text(arguments.plan, made.to_json())
    sys.stdout.write(f"{made}\n")
    return 0


def _require_one_place(arguments: argparse.Namespace) -> None:
    """Refuse a call that names no place for the weights, or two.

    Raises:
        UsageError: it names both options.
    """
    if (arguments.output is None) == (arguments.out is None):
        message = (
            "Say where the weights go: -o FILE for a model that fits into memory, or "
            "--out DIR for a checkpoint that is written tensor by tensor."
        )
        raise UsageError(message)
