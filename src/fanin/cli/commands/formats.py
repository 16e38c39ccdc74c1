"""Which formats a report is written in, and where: ``--format sarif:out.sarif``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from fanin.cli.commands.command import shows_colour, width_of
from fanin.files import ensure_writable, write_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from fanin.rules import Report


BRIEF: Final = ("text", "concise")
"""Formats that a person reads from top to bottom."""


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


def write(report: Report, wanted: Sequence[Place], *, is_brief: bool = False) -> None:
    """Write a report in every way wanted; brief text is without notes."""
    from fanin.report.findings import FORMATS, Look

    for place in wanted:
        is_shown = place.path is None
        look = Look(
            width=width_of() if is_shown else Look.width,
            is_coloured=is_shown and shows_colour(),
        )
        shown = _without_notes(report) if is_brief and place.name in BRIEF else report
        text = FORMATS[place.name].write(shown, look).rstrip("\n") + "\n"
        if place.path is None:
            sys.stdout.write(text)
        else:
            write_text(place.path, text)


def _without_notes(report: Report) -> Report:
    from fanin.rules.words import count

    kept = (*report.errors, *report.warnings)
    n_left_out = len(report.findings) - len(kept)
    said = (f"Not shown: {count(n_left_out, 'note')}.",) if n_left_out else ()
    return replace(report, findings=kept, notes=(*report.notes, *said))
