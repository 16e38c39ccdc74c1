"""What a command is: a module with a name, a line of help, arguments and a run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from fanin.report.files import ensure_writable, write_text

if TYPE_CHECKING:
    import argparse


class Command(Protocol):
    """One verb of the command line."""

    NAME: str
    HELP: str

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add this verb's arguments to its parser."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; give the exit code."""
        ...


def add_output(parser: argparse.ArgumentParser, *formats: str) -> None:
    """Add --format, the first of ``formats`` being the default, and --output."""
    parser.add_argument(
        "--format", choices=formats, default=formats[0], help="default: %(default)s"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write there instead of to the terminal"
    )


def check_output(arguments: argparse.Namespace) -> None:
    """Refuse an output path that cannot be written before any work is done."""
    if arguments.output is not None:
        ensure_writable(arguments.output)


def emit(arguments: argparse.Namespace, text: str) -> None:
    """Write the result to --output, else to stdout."""
    if arguments.output is not None:
        write_text(arguments.output, text.rstrip("\n") + "\n")
    else:
        sys.stdout.write(text.rstrip("\n") + "\n")
