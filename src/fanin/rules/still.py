"""Findings on parameters whose gradient is exactly 0: FAN106 and FAN302 speak alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from fanin.rules.rule import Finding, Severity
from fanin.rules.words import listing, source_of

if TYPE_CHECKING:
    from fanin.rules.inspection import Inspection
    from fanin.rules.rule import Rule

STILL = "gradient 0, here and wherever the other parameters can go"


class Words(TypedDict, total=False):
    """What differs from one such finding to the next."""

    message: str
    measured: str
    expected: str
    why: str
    fix: str
    mends: tuple[str, ...] | None


def still(
    inspection: Inspection,
    rule: Rule,
    paths: tuple[str, ...],
    *,
    severity: Severity = Severity.ERROR,
    **words: Unpack[Words],
) -> Finding:
    """Give the finding on parameters that stand still; value: how many they are."""
    said: Words = {
        "measured": STILL,
        "expected": "a gradient other than 0",
        **words,
    }
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=severity,
        where=listing(paths),
        source=source_of(inspection.graph, paths[0]),
        paths=paths,
        value=float(len(paths)),
        interval=(0.0, 0.0),
        **said,
    )
