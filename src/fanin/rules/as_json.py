"""Findings as JSON, schema ``fanin.check/1``, and back."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fanin.errors import ArgumentError
from fanin.rules.location import Location
from fanin.rules.rule import Evidence, Finding, Severity
from fanin.rules.suppressed import Suppressed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA = "fanin.check/1"
NUMBERS = re.compile(r"\[\n +(-?\d[-+.,\deE\s]*?)\n +\]")
"""A list of numbers over several lines: a histogram, which is shown in one. No text is
met: in JSON the ends of lines inside a text are escaped."""


def save(data: Mapping[str, Any]) -> str:
    """Give JSON text with the schema first; every number in it is finite.

    >>> print(save({"ok": True}))
    {
      "schema": "fanin.check/1",
      "ok": true
    }
    """
    full = {"schema": SCHEMA, **data}
    text = json.dumps(full, indent=2, ensure_ascii=False, allow_nan=False)
    return NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)


def load(text: str) -> dict[str, Any]:
    """Read JSON text of this schema.

    Raises:
        ArgumentError: if it is not JSON, or of another schema.
    """
    name, expected = "text", f"JSON of schema {SCHEMA!r}"
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ArgumentError.of(name, text[:40], expected) from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA:
        received = f"schema {schema!r}"
        raise ArgumentError.of(name, received, expected)
    return dict(data)


def findings_to(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Give findings as plain dicts of text, numbers, lists and None."""
    return [_finding_to(finding) for finding in findings]


def findings_from(items: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """Read findings back from plain dicts."""
    return tuple(_finding_from(item) for item in items)


def suppressed_to(suppressed: Iterable[Suppressed]) -> list[dict[str, Any]]:
    """Give findings that were set aside as plain dicts, with who did, and why."""
    return [
        {"by": s.by, "reason": s.reason, "finding": _finding_to(s.finding)}
        for s in suppressed
    ]


def suppressed_from(items: Iterable[Mapping[str, Any]]) -> tuple[Suppressed, ...]:
    """Read them back from plain dicts."""
    return tuple(
        Suppressed(
            finding=_finding_from(item["finding"]),
            by=item["by"],
            reason=item["reason"],
        )
        for item in items
    )


def number_to(value: float | None) -> float | str | None:
    """Give a number as JSON can hold it: NaN and infinity as text.

    >>> number_to(0.5), number_to(float("-inf"))
    (0.5, '-Infinity')
    """
    if value is None or math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def number_from(value: float | str | None) -> float | None:
    """Read such a number back.

    >>> number_from("Infinity")
    inf
    """
    return None if value is None else float(value)


def _finding_to(finding: Finding) -> dict[str, Any]:
    interval, mends = finding.interval, finding.mends
    return {
        **asdict(finding),
        "severity": finding.severity.value,
        "evidence": finding.evidence.value,
        "paths": list(finding.paths),
        "value": number_to(finding.value),
        "interval": None if interval is None else [number_to(end) for end in interval],
        "mends": None if mends is None else list(mends),
    }


def _finding_from(item: Mapping[str, Any]) -> Finding:
    interval, mends, place = item["interval"], item["mends"], item["location"]
    return Finding(
        **{
            **item,
            "severity": Severity(item["severity"]),
            "evidence": Evidence(item["evidence"]),
            "paths": tuple(item["paths"]),
            "value": number_from(item["value"]),
            "interval": None
            if interval is None
            else tuple(number_from(end) for end in interval),
            "mends": None if mends is None else tuple(mends),
            "location": None if place is None else Location(**place),
        }
    )
