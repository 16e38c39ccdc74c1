"""Which parameters a new draw would mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fanin.rules.rule import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

SCALES: Final = ("FAN2", "FAN3", "FAN4", "FAN9")
"""Families that judge how numbers grow through the whole net: their findings that name
no parameter are mended by drawing the whole net."""

WHOLE: Final = "*"
"""The pattern of every parameter, as plans take it."""


def mends(finding: Finding) -> tuple[str, ...]:
    """Give the parameters whose new draw mends a finding; ("*",) for the whole net.

    >>> from fanin.rules import Severity
    >>> drift = Finding(
    ...     code="FAN201",
    ...     name="forward-drift",
    ...     severity=Severity.WARNING,
    ...     where="the trunk",
    ...     message="It grows.",
    ... )
    >>> mends(drift)
    ('*',)
    """
    if finding.mends is not None or finding.paths:
        return finding.mended_by
    return (WHOLE,) if finding.code.startswith(SCALES) else ()


def is_mendable(finding: Finding) -> bool:
    """Say whether it is more than a note, and a new draw mends it."""
    return finding.severity is not Severity.INFO and bool(mends(finding))


def to_draw(
    findings: Iterable[Finding], kept: Iterable[str], *, is_wide: bool = False
) -> tuple[str, ...]:
    """Give the parameters to draw again for all findings; ("*",) for the whole net.

    Args:
        findings: notes among them are passed over.
        kept: parameters that are not to be touched (frozen, set aside).
        is_wide: all parameters that a finding concerns, not just the fewest that mend.
    """
    wanted = [
        path
        for finding in findings
        if is_mendable(finding)
        for path in (*mends(finding), *(finding.paths if is_wide else ()))
    ]
    if WHOLE in wanted:
        return (WHOLE,)
    held = set(kept)
    return tuple(path for path in dict.fromkeys(wanted) if path not in held)
