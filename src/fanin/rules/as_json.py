"""Findings as JSON, schema ``fanin.check/1``, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fanin.errors import ArgumentError
from fanin.rules.rule import Evidence, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA = "fanin.check/1"


def save(data: Mapping[str, Any]) -> str:
    """Give JSON text with the schema first; every number in it is finite.

    >>> print(save({"ok": True}))
    {
      "schema": "fanin.check/1",
      "ok": true
    }
    """
    full = {"schema": SCHEMA, **data}
    return json.dumps(full, indent=2, ensure_ascii=False, allow_nan=False)


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
    """Give findings as plain dicts of text, lists and None."""
    return [
        {
            **asdict(finding),
            "severity": finding.severity.value,
            "evidence": finding.evidence.value,
            "paths": list(finding.paths),
        }
        for finding in findings
    ]


def findings_from(items: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """Read findings back from plain dicts."""
    return tuple(
        Finding(
            **{
                **item,
                "severity": Severity(item["severity"]),
                "evidence": Evidence(item["evidence"]),
                "paths": tuple(item["paths"]),
            }
        )
        for item in items
    )
