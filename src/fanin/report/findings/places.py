"""Where a finding stands in files, as machines want it said."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from fanin.rules.location import Location

if TYPE_CHECKING:
    from fanin.rules.report import Report
    from fanin.rules.rule import Finding

FILE: Final = re.compile(r"^(?P<file>[^:]*[^:\s]\.(?:py|keras|pt2|safetensors|json))\b")


def place_of(finding: Finding, report: Report) -> Location | None:
    """Give a finding's line: where its layer is made, else the file that was checked.

    Code scanners show nothing without a file, so a finding that has no line of its own
    is put on the first line of the target's file, where the target names one.

    >>> from fanin.rules import Finding, Report, Severity, Verdict
    >>> finding = Finding(
    ...     code="FAN801",
    ...     name="non-finite-value",
    ...     severity=Severity.ERROR,
    ...     where="0.weight",
    ...     message="1 of its 6 numbers is NaN.",
    ... )
    >>> report = Report(verdict=Verdict.CANNOT_LEARN, target="net.py:make(width=4)")
    >>> str(place_of(finding, report))
    'net.py:1'
    """
    if finding.location is not None:
        return finding.location
    found = FILE.match(report.target)
    return None if found is None else Location(file=found["file"], line=1, kind="runs")


def uri_of(file: str) -> str:
    r"""Give a path as a URI reference: relative ones stay relative, spaces are escaped.

    >>> uri_of("my nets/mlp.py"), uri_of("/srv/mlp.py"), uri_of("C:\\nets\\mlp.py")
    ('my%20nets/mlp.py', 'file:///srv/mlp.py', 'file:///C:/nets/mlp.py')
    """
    is_windows = "\\" in file or re.match(r"^[A-Za-z]:", file)
    path = PureWindowsPath(file) if is_windows else PurePosixPath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def is_relative(file: str) -> bool:
    """Say whether a path is under the folder that was checked from."""
    return not uri_of(file).startswith("file:")
