"""A comparison as a table with a row for each trial: CSV, a DataFrame, Parquet."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from typing import TYPE_CHECKING, Any

from fanin.errors import MissingDependencyError
from fanin.files import write_with
from fanin.race.encoding import NUMBERS
from fanin.race.setting import Trial

if TYPE_CHECKING:
    from pathlib import Path

    from fanin.race import Standings

FIELDS = tuple(field.name for field in dataclasses.fields(Trial))
COLUMNS = (*FIELDS, "state", "diverged_at", *NUMBERS, "is_chosen", "error")
"""state: "done", "diverged" or "failed". is_chosen: at the rate that was chosen."""


def rows_of(standings: Standings) -> list[dict[str, Any]]:
    """Give every trial that is over, in the experiment's order; None: unknown."""
    chosen = {(row.scheme, row.setting): row.learning_rate for row in standings.rows}
    rows = []
    for one in standings.results:
        trial, run = one.trial, one.run
        rate = chosen.get((trial.scheme, trial.setting))
        rows.append(
            dataclasses.asdict(trial)
            | {name: getattr(run, name) for name in NUMBERS}
            | {
                "state": "done" if run.diverged_at is None else "diverged",
                "diverged_at": run.diverged_at,
                "is_chosen": rate == trial.learning_rate,
                "error": None,
            }
        )
    empty = dict.fromkeys(COLUMNS)
    rows += [
        empty
        | dataclasses.asdict(one.trial)
        | {"state": "failed", "is_chosen": False, "error": one.error}
        for one in standings.failures
    ]
    return [{name: row[name] for name in COLUMNS} for row in rows]


def as_csv(standings: Standings) -> str:
    """Give the table as CSV; what is unknown, or no number, is an empty field."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows_of(standings):
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return buffer.getvalue()


def as_frame(standings: Standings) -> Any:  # noqa: ANN401 (a pandas.DataFrame)
    """Give the table as a DataFrame.

    Raises:
        MissingDependencyError: if pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as missing:
        raise MissingDependencyError.of(
            package="pandas", purpose="A table as a DataFrame", extra="parquet"
        ) from missing
    frame = pd.DataFrame(rows_of(standings), columns=list(COLUMNS))
    numbers: dict[str, str] = dict.fromkeys(NUMBERS, "float64")
    return frame.astype(numbers | {"diverged_at": "Int64", "error": "string"})


def write_parquet(standings: Standings, path: str | Path) -> Path:
    """Write the table as Parquet, wholly or not at all.

    Raises:
        MissingDependencyError: if pandas or pyarrow is not installed.
        OutputError: if it cannot be written.
    """
    frame = as_frame(standings)
    try:
        return write_with(path, lambda place: frame.to_parquet(place, index=False))
    except ImportError as missing:
        raise MissingDependencyError.of(
            package="pyarrow", purpose="Writing a .parquet", extra="parquet"
        ) from missing


def _cell(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return "" if math.isnan(value) else value
    return value
