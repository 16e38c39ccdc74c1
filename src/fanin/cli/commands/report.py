"""Write a saved report again, in another format. Nothing is checked anew.

fanin report check.html --format json
fanin report check.json -o check.sarif
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.cli.commands.command import check_output, emit, is_coloured, width_of
from fanin.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from fanin.report.findings import Format
    from fanin.rules import Report

NAME = "report"
HELP = "write a saved report again, in another format"
DEFAULT = "text"


class InputError(UsageError):
    """A file that is no report, or cannot be read."""

    @classmethod
    def of(cls, path: str, reason: object) -> InputError:
        """Build the message: the path, the reason, and what would be right."""
        return cls(
            f"Cannot read {path!r}: {reason}. Give a report that `fanin check -o "
            "FILE` wrote as .json or .html."
        )


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file and what to make of it."""
    parser.add_argument("file", metavar="FILE", help="check.json or check.html")
    parser.add_argument(
        "--format",
        metavar="NAME",
        help="text, concise, json, sarif, junit, github, markdown or html; default: "
        "the output file's suffix, else text",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write there instead of to the terminal"
    )


def run(arguments: argparse.Namespace) -> int:
    """Read the report and write it out.

    Raises:
        InputError: if the file cannot be read, or is no report.
        UnknownNameError: if there is no such format; it names the nearest.
    """
    from fanin.report.findings import Look

    check_output(arguments)
    chosen = _format(arguments)
    report = read_file(arguments.file)
    look = Look(width=width_of(), is_coloured=is_coloured(arguments))
    emit(arguments, chosen.write(report, look))
    return 0


def read_file(path: str) -> Report:
    """Read a saved report.

    Raises:
        InputError: if the file cannot be read, or is no report.
    """
    from pathlib import Path

    from fanin.errors import ArgumentError
    from fanin.report.findings.reading import read

    try:
        return read(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError.of(path, error.strerror or error) from error
    except (
        ArgumentError,
        UnicodeDecodeError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        raise InputError.of(path, "it holds no report of fanin") from error


def _format(arguments: argparse.Namespace) -> Format:
    from fanin.report.findings import FORMATS, of_suffix

    if arguments.format is not None:
        return FORMATS[arguments.format]
    found = None if arguments.output is None else of_suffix(arguments.output)
    return found or FORMATS[DEFAULT]
