"""The baseline of a test: the findings that were there when it was written.

One small JSON file a test, in a folder ``__fanin__`` beside it, to be committed: no two
processes of a parallel run write the same file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fanin.errors import ArgumentError
from fanin.files import write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from fanin.rules import Finding

FOLDER: Final = "__fanin__"
SCHEMA: Final = "fanin.pytest/1"

Known = tuple[str, str]
"""A finding's code and where it is; never its numbers, which move with the seed."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What a file says, and where the file is. known: None if there is no file."""

    path: Path
    known: frozenset[Known] | None

    def holds(self, finding: Finding) -> bool:
        """Say whether this finding was there when the baseline was written."""
        return self.known is not None and key_of(finding) in self.known

    def gone(self, findings: Iterable[Finding]) -> tuple[Known, ...]:
        """Give what the baseline holds and the model does not show any more."""
        return tuple(sorted((self.known or frozenset()) - set(map(key_of, findings))))


def key_of(finding: Finding) -> Known:
    """Give what tells one finding from another, over runs and seeds.

    >>> from fanin.rules import Finding, Severity
    >>> key_of(
    ...     Finding(
    ...         code="FAN105",
    ...         name="constant-weight",
    ...         severity=Severity.WARNING,
    ...         where="the head",
    ...         message="",
    ...         paths=("head.weight", "head.bias"),
    ...     )
    ... )
    ('FAN105', 'head.bias head.weight')
    """
    return finding.code, " ".join(sorted(finding.paths)) or finding.where


def path_in(folder: Path, name: str) -> Path:
    """Give the file of a test: its name, what no file system takes replaced.

    >>> from pathlib import Path
    >>> path_in(Path("tests"), "test_net[wide/deep]").as_posix()
    'tests/__fanin__/test_net-wide-deep.json'
    """
    stem = re.sub(r"[^\w.=,]+", "-", name).strip("-")
    return folder / FOLDER / f"{stem}.json"


def read(path: Path) -> Baseline:
    """Read a baseline; a file that is not there holds nothing.

    Raises:
        ArgumentError: if the file is not one that `write` wrote.
    """
    if not path.is_file():
        return Baseline(path=path, known=None)
    try:
        known = _known(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        expected = f"a file of schema {SCHEMA}, as pytest --fanin-update writes it"
        raise ArgumentError.of(
            argument="baseline", received=str(path), expected=expected
        ) from error
    return Baseline(path=path, known=known)


def _known(data: Any) -> frozenset[Known]:  # noqa: ANN401 (whatever JSON holds)
    if data["schema"] != SCHEMA:
        raise KeyError(data["schema"])
    return frozenset((f["code"], f["where"]) for f in data["findings"])


def write(path: Path, findings: Sequence[Finding]) -> None:
    """Write these findings as the baseline; of none, no file is left."""
    if not findings:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = [
        {"code": code, "where": where} for code, where in sorted(map(key_of, findings))
    ]
    text = json.dumps({"schema": SCHEMA, "findings": listed}, indent=2)
    write_text(path, text + "\n")
