"""Print the JSON Schema of what ``fanin check --format json`` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.cli.commands.command import check_output, emit

if TYPE_CHECKING:
    import argparse

NAME = "schema"
HELP = "print the JSON Schema of a report"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the output."""
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write there instead of to the terminal"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the schema out."""
    from fanin.report.findings.reading import schema

    check_output(arguments)
    emit(arguments, schema())
    return 0
