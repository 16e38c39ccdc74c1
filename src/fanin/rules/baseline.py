"""The baseline: findings that a project knows of, kept in a file beside its code.

A fingerprint holds the rule, the parameter and the model's class, and no number: a
finding stays the same finding when what was measured changes a little.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from fanin.errors import ArgumentError
from fanin.files import write_text
from fanin.rules.suppressed import Suppressed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fanin.rules.report import Report
    from fanin.rules.rule import Finding
    from fanin.rules.setting_aside import Decide

SCHEMA: Final = "fanin.baseline/1"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What was known when the file was written: fingerprint → (code, place)."""

    known: Mapping[str, tuple[str, str]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def decider(self, model_class: str) -> Decide:
        """Set a finding aside if each of its parameters was known to have it."""

        def decide(finding: Finding) -> Suppressed | None:
            marks = [mark for mark, _ in _marks(finding, model_class)]
            if not all(mark in self.known for mark in marks):
                return None
            reason = "known when the baseline was written"
            return Suppressed(finding=finding, by="baseline", reason=reason)

        return decide

    def stale(self, report: Report, model_class: str) -> tuple[str, ...]:
        """Give what is in the file and was not found again: "FAN101 fc.weight".

        Rules that were not asked, and other models' entries, are not spoken of.
        """
        everything = (
            *report.findings,
            *report.consequences,
            *(each.finding for each in report.suppressed),
        )
        found = {m for f in everything for m, _ in _marks(f, model_class)}
        mine = {
            fingerprint(code, place, model_class): (code, place)
            for code, place in self.known.values()
        }
        asked = set(report.coverage.asked)
        return tuple(
            f"{code} {place}"
            for mark, (code, place) in self.known.items()
            if mark not in found and mark in mine and code in asked
        )


def fingerprint(code: str, place: str, model_class: str) -> str:
    """Give 16 hexadecimal digits that mean a rule, a parameter and a class of model.

    >>> fingerprint("FAN101", "fc.weight", "Net")
    'a4851a987f6c8bb5'
    """
    text = f"{code}\n{place}\n{model_class}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_baseline(path: str | Path) -> Baseline:
    """Read a baseline file.

    Raises:
        ArgumentError: if there is no such file, or it is not a baseline.
    """
    argument, expected = "baseline", f"a file of schema {SCHEMA!r}"
    try:
        data: Any = json.loads(Path(path).read_text(encoding="utf-8"))
        entries: Any = data["findings"] if data["schema"] == SCHEMA else None
        known = {each["fingerprint"]: (each["code"], each["place"]) for each in entries}
    except FileNotFoundError as error:
        expected = "a file that exists; --write-baseline makes one"
        raise ArgumentError.of(argument, str(path), expected) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArgumentError.of(argument, str(path), expected) from error
    return Baseline(known=MappingProxyType(known))


def write_baseline(report: Report, path: str | Path, model_class: str) -> Path:
    """Write every finding of a report, suppressed by the old baseline or not.

    What a comment or the configuration sets aside is left to them.

    Raises:
        OutputError: if the file cannot be written; an old one is untouched.
    """
    old = (each.finding for each in report.suppressed if each.by == "baseline")
    entries = {
        mark: {"fingerprint": mark, "code": finding.code, "place": place}
        for finding in (*report.findings, *old)
        for mark, place in _marks(finding, model_class)
    }
    ordered = sorted(entries.values(), key=lambda e: (e["code"], e["place"]))
    data = {"schema": SCHEMA, "findings": ordered}
    return write_text(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def _marks(finding: Finding, model_class: str) -> Iterable[tuple[str, str]]:
    for place in finding.paths or (finding.where,):
        yield fingerprint(finding.code, place, model_class), place
