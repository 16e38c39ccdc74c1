"""The baseline of a test: the findings that were there when it was written.

One small JSON file a test, as ``fanin check --write-baseline`` writes it, in a folder
``__fanin__`` beside the test, to be committed: no two processes of a parallel run write
the same file.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fanin.api.settling import class_of
from fanin.rules.baseline import write_baseline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fanin.rules import Finding, Report

FOLDER: Final = "__fanin__"
ACCEPT: Final = "To accept what is found as the baseline: pytest --fanin-update"


def path_in(folder: Path, name: str) -> Path:
    """Give the file of a test: its name, what no file system takes replaced.

    >>> from pathlib import Path
    >>> path_in(Path("tests"), "test_net[wide/deep]").as_posix()
    'tests/__fanin__/test_net-wide-deep.json'
    """
    stem = re.sub(r"[^\w.=,]+", "-", name).strip("-")
    return folder / FOLDER / f"{stem}.json"


def existing(path: Path) -> Path | None:
    """Give the path if there is such a file.

    >>> from pathlib import Path
    >>> existing(Path("no/such/file.json")) is None
    True
    """
    return path if path.is_file() else None


def update(
    path: Path, report: Report, failing: Sequence[Finding], model: object
) -> None:
    """Write what fails as the new baseline; where nothing does, no file is left.

    Raises:
        OutputError: if the file cannot be written.
    """
    if not failing:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    known = replace(report, findings=tuple(failing), suppressed=())
    write_baseline(known, path, class_of(model))
