"""Which formats a report is written in, and where: ``--format sarif:out.sarif``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.cli.commands.command import shows_colour, width_of
from fanin.files import ensure_writable, write_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from fanin.rules import Report


@dataclass(frozen=True, kw_only=True)
class Place:
    """One way to write a report: a format's name, and a file or None for stdout."""

    name: str
    path: str | None = None


def add_formats(parser: argparse.ArgumentParser) -> None:
    """Add --format, which may be given several times, and --output."""
    parser.add_argument(
        "--format",
        action="append",
        default=[],
        metavar="NAME[:FILE]",
        help="text (the default), concise, json, sarif, github, junit, markdown or "
        "html; with :FILE it goes there, and the option may be given again",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write there instead of to the terminal; its suffix chooses the format. "
        "With --fix: where the new weights go",
    )


def places(words: Sequence[str], output: str | None) -> tuple[Place, ...]:
    """Read the words of --format, and where --output sends what has no file.

    Raises:
        UnknownNameError: if there is no such format; it names the nearest.
        OutputError: if a file cannot be written. Nothing is checked before.

    >>> [place.name for place in places(["sarif:out.sarif", "json"], None)]
    ['sarif', 'json']
    >>> [place.name for place in places(["sarif:out.sarif"], None)]
    ['sarif', 'text']
    """
    from fanin.report.findings import FORMATS, of_suffix

    found = []
    for word in words:
        name, _, path = word.partition(":")
        found.append(Place(name=FORMATS[name].name, path=path or None))
    if all(place.path is not None for place in found):
        format_of_file = None if output is None else of_suffix(output)
        name = "text" if format_of_file is None else format_of_file.name
        found.append(Place(name=name))
    placed = [Place(name=place.name, path=place.path or output) for place in found]
    for place in placed:
        if place.path is not None:
            ensure_writable(place.path)
    return tuple(placed)


def write(report: Report, wanted: Sequence[Place]) -> None:
    """Write a report in every way wanted."""
    from fanin.report.findings import FORMATS, Look

    for place in wanted:
        is_shown = place.path is None
        look = Look(
            width=width_of() if is_shown else Look.width,
            is_coloured=is_shown and shows_colour(),
        )
        text = FORMATS[place.name].write(report, look).rstrip("\n") + "\n"
        if place.path is None:
            sys.stdout.write(text)
        else:
            write_text(place.path, text)
