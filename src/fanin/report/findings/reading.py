"""Reading a saved report back: JSON, or a page with the JSON in it."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from fanin.rules.report import Report

EMBEDDED: Final = re.compile(
    r'<script type="application/json" id="fanin-data">(.*?)</script>', re.DOTALL
)


def read(text: str) -> Report:
    """Read a report from JSON, or from the page that ``fanin check -o x.html`` wrote.

    Raises:
        ArgumentError: if the text holds no JSON of schema ``fanin.check/1``.

    >>> from fanin.report.findings import page_of
    >>> from fanin.rules import Coverage, Report, Verdict
    >>> report = Report(verdict=Verdict.HEALTHY, coverage=Coverage(n_parameters=4))
    >>> read(page_of(report)) == read(report.to_json()) == report
    True
    """
    found = EMBEDDED.search(text)
    return Report.from_json(text if found is None else found[1])


def schema() -> str:
    """Give the JSON Schema of a report, draft 2020-12.

    >>> import json
    >>> json.loads(schema())["$id"]
    'fanin.check/1'
    """
    found = files("fanin.report.findings").joinpath("check-1.schema.json")
    return found.read_text(encoding="utf-8")
