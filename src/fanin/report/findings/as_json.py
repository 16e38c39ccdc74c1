"""A report for programs: JSON of schema ``fanin.check/1``."""

from __future__ import annotations

from fanin.report.findings.format import Format

FORMAT = Format(
    name="json",
    summary="everything, schema fanin.check/1",
    write=lambda report, _: report.to_json(),
    suffixes=(".json",),
)
