"""What a command is: a module with a name, a line of help, arguments and a run."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fanin.files import ensure_writable, write_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


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


SUFFIXES: Mapping[str, str] = {
    ".html": "html",
    ".md": "markdown",
    ".tex": "latex",
    ".json": "json",
    ".txt": "text",
    ".csv": "csv",
    ".parquet": "parquet",
}


def add_output(parser: argparse.ArgumentParser, *formats: str) -> None:
    """Add --format, the first of ``formats`` being the default, and --output."""
    parser.add_argument(
        "--format",
        choices=formats,
        help=f"default: the output file's suffix, else {formats[0]}",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write there instead of to the terminal"
    )
    parser.set_defaults(formats=formats)


def check_output(arguments: argparse.Namespace) -> None:
    """Refuse an output path that cannot be written before any work is done."""
    if arguments.output is not None:
        ensure_writable(arguments.output)


def format_of(arguments: argparse.Namespace) -> str:
    """Give the format asked for, else that of the output's suffix, else the first."""
    chosen: str | None = arguments.format
    if chosen is None and arguments.output is not None:
        chosen = SUFFIXES.get(Path(arguments.output).suffix.lower())
    if chosen is None or chosen not in arguments.formats:
        chosen = arguments.formats[0]
    return str(chosen)


def emit(arguments: argparse.Namespace, text: str) -> None:
    """Write the result to --output, else to stdout."""
    if arguments.output is not None:
        write_text(arguments.output, text.rstrip("\n") + "\n")
    else:
        sys.stdout.write(text.rstrip("\n") + "\n")


def is_coloured(arguments: argparse.Namespace) -> bool:
    """Say whether the result goes to a terminal that shows colour (NO_COLOR rules)."""
    return arguments.output is None and shows_colour()


def shows_colour() -> bool:
    """Say whether stdout is a terminal that shows colour (NO_COLOR rules)."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def width_of(*, narrowest: int = 60, widest: int = 110) -> int:
    """Give the terminal's columns within what a table can use."""
    columns = shutil.get_terminal_size((88, 24)).columns
    return min(max(columns, narrowest), widest)
