"""A report as a table of pandas."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from fanin.errors import ArgumentError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.rules.report import Report

WHAT: Final = ("findings", "sites", "weights")


def frame_of(report: Report, what: str = "findings") -> Any:  # noqa: ANN401 - pandas'
    """Give a ``pandas.DataFrame``: a row a finding, a measured site, or a weight.

    Args:
        report: of a check.
        what: "findings", "sites" or "weights"; the last two are empty where the model
            could not be run.

    Raises:
        ArgumentError: if ``what`` is another word.
        MissingDependencyError: if pandas is not installed.
    """
    if what not in WHAT:
        argument, expected = "what", f"one of {', '.join(WHAT)}"
        raise ArgumentError.of(argument, what, expected)
    package, purpose = "pandas", "Report.to_frame"
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingDependencyError.of(package, purpose, package) from error
    head = COLUMNS[what]
    rows = [[row[name] for name in head] for row in _rows(report, what)]
    return pd.DataFrame(rows, columns=list(head))


COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "findings": (
        "code", "name", "severity", "evidence", "where", "message", "measured",
        "expected", "value", "low", "high", "fix", "file", "line", "paths",
    ),
    "sites": (
        "name", "kind", "shape", "weight", "is_trunk", "forward", "between",
        "maximum", "gradient", "predicted", "predicted_low", "predicted_high",
        "predicted_gradient", "dead", "saturated", "n_units",
    ),
    "weights": ("path", "shape", "mean", "std", "n_in", "step", "gradient"),
}  # fmt: skip


def _rows(report: Report, what: str) -> list[dict[str, Any]]:
    if what == "findings":
        return [_finding(asdict(finding)) for finding in report.findings]
    if report.profile is None:
        return []
    records = report.profile.rows if what == "sites" else report.profile.weights
    return [asdict(record) for record in records]


def _finding(fields: dict[str, Any]) -> dict[str, Any]:
    low, high = fields["interval"] or (None, None)
    place = fields["location"] or {}
    return {
        **fields,
        "severity": str(fields["severity"]),
        "evidence": str(fields["evidence"]),
        "low": low,
        "high": high,
        "file": place.get("file"),
        "line": place.get("line"),
    }
