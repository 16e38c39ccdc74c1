"""Write a saved plan's numbers into a model, and save it: all parameters, or none.

    fanin plan net.py:make --input 64x784 -o plan.json
    fanin apply plan.json net.py:make -o weights.npz
    fanin apply plan.json net.py:make --seed 2 -o other.npz

The suffix of the file says how it is written, as for init.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fanin.cli.commands.model import add_model, opened
from fanin.files import ensure_writable

if TYPE_CHECKING:
    import argparse

NAME = "apply"
HELP = "write a saved plan into a model, and save its weights"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the plan, the model, the seed, and where the weights go."""
    parser.add_argument("plan", metavar="PLAN", help="JSON, as fanin plan writes it")
    add_model(parser)
    parser.add_argument(
        "--seed", type=int, help="of other numbers from the same laws; 0 to 2⁶⁴ − 1"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="where the weights go"
    )


def run(arguments: argparse.Namespace) -> int:
    """Load, write into the model, save."""
    from fanin.frameworks.find import find
    from fanin.prescription import Plan

    ensure_writable(arguments.output)
    made = Plan.load(arguments.plan)
    model = opened(arguments).model
    framework = find(model)
    framework.require_format(arguments.output)
    framework.save(made.apply(model, seed=arguments.seed), arguments.output)
    n_written = sum(not p.is_kept for p in made.prescriptions)
    sys.stdout.write(
        f"{arguments.output}: {n_written} of {len(made.prescriptions)} parameters "
        f"written, {made.n_parameters:,} numbers.\n"
    )
    return 0
