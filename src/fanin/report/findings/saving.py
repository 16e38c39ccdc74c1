"""Saving a report in the format that the file's name asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.errors import ArgumentError
from fanin.files import write_text
from fanin.report.findings.format import Look
from fanin.report.findings.formats import FORMATS, of_suffix

if TYPE_CHECKING:
    from pathlib import Path

    from fanin.rules.report import Report


def save(report: Report, path: str | Path) -> Path:
    """Write the report into a file, wholly or not at all.

    Args:
        report: of a check.
        path: its suffix says how: .html, .json, .sarif, .xml, .md or .txt.

    Raises:
        ArgumentError: if no format has that suffix.
        OutputError: if the file cannot be written; an old one is untouched.
    """
    chosen = of_suffix(path)
    if chosen is None:
        known = sorted({s for each in FORMATS.values() for s in each.suffixes})
        argument, expected = "path", f"a file that ends in {', '.join(known)}"
        raise ArgumentError.of(argument, str(path), expected)
    return write_text(path, chosen.write(report, Look()).rstrip("\n") + "\n")
