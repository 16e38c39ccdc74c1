"""Parse the words, run the verb, turn what it raises into a message and a code.

Exit codes: 0 clean, 1 findings, 2 usage, 3 the model could not be built or run, 4 a
fault of fanin's own, 130 interrupted. Results go to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from typing import TYPE_CHECKING

import fanin
from fanin.cli.commands import COMMANDS
from fanin.errors import FaninError, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
FAULT = 4
USAGE = 2

DESCRIPTION = """\
Decides, explains, checks and applies the initial weights of neural networks.

A model is named pkg.module:make(width=256), file.py:attribute, or model.keras.
"""
EPILOG = """\
exit codes: 0 clean · 1 findings · 2 usage · 3 the model could not be built or run
            4 a fault of fanin's own · 130 interrupted
"""


def parser() -> argparse.ArgumentParser:
    """Build the parser; no framework is imported."""
    top = argparse.ArgumentParser(
        prog="fanin",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=fanin.__version__)
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for command in COMMANDS:
        each = verbs.add_parser(
            command.NAME,
            help=command.HELP,
            description=command.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.arguments(each)
        each.set_defaults(run=command.run)
    return top


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    try:
        arguments = parser().parse_args(words)
    except SystemExit as stop:  # argparse has printed its own message
        return stop.code if isinstance(stop.code, int) else USAGE
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except FaninError as error:
        _say(str(error))
        return error.exit_code
    except (SystemExit, KeyboardInterrupt) as stop:
        return _stopped(stop)
    except BrokenPipeError:  # `fanin … | head`: the reader left, which is no fault
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - kept to the end
        return 0
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        _say(
            f"{type(error).__name__}: {error}. This is a fault of fanin: please "
            "report it, with the lines above."
        )
        return FAULT
    return code


def _stopped(stop: SystemExit | KeyboardInterrupt) -> int:
    """Give the exit code of a program that somebody ended, fanin not among them."""
    if isinstance(stop, KeyboardInterrupt):
        _say("interrupted.")
        return INTERRUPTED
    _say(f"the target's code called sys.exit({stop.code!r}): nothing was judged.")
    return ModelError.exit_code


def _say(message: str) -> None:
    sys.stderr.write(f"fanin: {message}\n")
