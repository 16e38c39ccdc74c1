"""Data from a file: .npz, .csv or .parquet; numbers, and one column to be learned."""

from __future__ import annotations

import csv
import importlib
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import (
    ArgumentError,
    FaninError,
    MissingDependencyError,
    UnknownNameError,
)
from fanin.race.raw import Raw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

INPUTS = ("inputs", "X", "x")
TARGETS = ("targets", "target", "y")
KINDS = {".npz": "plain arrays", ".csv": "UTF-8 text", ".parquet": "one table"}
MISSING = frozenset({"", "nan", "nat", "none", "<na>"})

Columns = dict[str, np.ndarray]


def is_file(name: str) -> bool:
    """Say whether a dataset's name is that of a file that can be read here.

    >>> is_file("train.csv"), is_file("digits")
    (True, False)
    """
    return Path(name).suffix.lower() in READERS


def read(path: str, *, target: str | None = None, task: str | None = None) -> Raw:
    """Read a file.

    Args:
        path: its ending says what it is.
        target: the column to learn, in a table the last one by default; in a .npz the
            array, by default "targets", "target" or "y".
        task: as in `Raw.of`.

    Raises:
        ArgumentError: if there is no such file, or what is in it are not numbers.
        UnknownNameError: if it has no such column.
        MissingDependencyError: if a .parquet is to be read without pandas and pyarrow.
    """
    place = Path(path)
    if not place.is_file():
        raise ArgumentError.of(
            argument="data", received=path, expected="the path of a file that exists"
        )
    try:
        inputs, targets = READERS[place.suffix.lower()](place, target)
    except FaninError:
        raise
    except Exception as error:  # each library has its own for a broken file
        expected = (
            f"a whole {place.suffix} file of {KINDS[place.suffix.lower()]} ({error})"
        )
        raise ArgumentError.of(
            argument="data", received=path, expected=expected
        ) from error
    return Raw.of(inputs, targets, task=task)


def _npz(path: Path, target: str | None) -> tuple[np.ndarray, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    targets = _first(arrays, TARGETS if target is None else (target,), path)
    return arrays[_first(arrays, INPUTS, path)], arrays[targets]


def _first(arrays: Columns, names: Sequence[str], path: Path) -> str:
    found = next((name for name in names if name in arrays), None)
    if found is None:
        kind = f"array in {path.name} (one of {', '.join(names)} is needed)"
        raise UnknownNameError.of(kind, names[0], arrays)
    return found


def _csv(path: Path, target: str | None) -> tuple[np.ndarray, np.ndarray]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        head, *rows = [row for row in csv.reader(file) if row] or [[]]
    _require_names(head)
    uneven = next((i for i, row in enumerate(rows) if len(row) != len(head)), None)
    if uneven is not None:
        expected = f"{len(head)} fields in every row; row {uneven + 1} has others"
        raise ArgumentError.of(
            argument="data", received=len(rows[uneven]), expected=expected
        )
    columns = {
        name.strip(): np.array([row[i].strip() for row in rows])
        for i, name in enumerate(head)
    }
    return _split(columns, target, path)


def _require_names(head: Sequence[str]) -> None:
    """Refuse a first line that is no line of names.

    Raises:
        ArgumentError: if a name comes twice, or all of them are numbers.
    """
    names = [name.strip() for name in head]
    twice = next((name for name in names if names.count(name) > 1), None)
    if names and all(_is_finite(name) for name in names):
        received, problem = ",".join(names)[:60], "it holds numbers alone"
    elif twice is not None:
        received, problem = twice, "this name stands there twice"
    else:
        return
    expected = f"a table whose first line names the columns; {problem}"
    raise ArgumentError.of(argument="data", received=received, expected=expected)


def _parquet(path: Path, target: str | None) -> tuple[np.ndarray, np.ndarray]:
    try:
        import pandas as pd

        importlib.import_module("pyarrow")  # pandas reads with it
    except ImportError as missing:
        purpose = "Reading a .parquet"
        raise MissingDependencyError.of(
            package="pyarrow", purpose=purpose, extra="parquet"
        ) from missing
    frame = pd.read_parquet(path)
    columns = {str(name): frame[name].to_numpy() for name in frame.columns}
    return _split(columns, target, path)


def _split(
    columns: Columns, target: str | None, path: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Take the target's column out; all others are inputs."""
    if len(columns) < 2:
        raise ArgumentError.of(
            argument="data",
            received=str(path),
            expected="a table of two columns or more",
        )
    wanted = next(reversed(columns)) if target is None else target
    if wanted not in columns:
        raise UnknownNameError.of(
            kind=f"column in {path.name}", name=wanted, known=columns
        )
    inputs = [_column(name, v) for name, v in columns.items() if name != wanted]
    return np.stack(inputs, axis=1), _labels(wanted, columns[wanted])


def _labels(name: str, values: np.ndarray) -> np.ndarray:
    """Give the column to be learned: every row has a number, or a word.

    Raises:
        ArgumentError: if a row has nothing.
    """
    row = next((i for i, value in enumerate(values) if _is_missing(value)), None)
    if row is not None:
        expected = f"a value in every row of column {name!r}; row {row + 1} has none"
        raise ArgumentError.of(
            argument="data", received=str(values[row]), expected=expected
        )
    return _as_numbers(values)


def _is_missing(value: object) -> bool:
    """Say whether an entry is empty, None, NaN or NaT."""
    is_unlike_itself = value != value
    return value is None or bool(is_unlike_itself) or str(value).lower() in MISSING


def _column(name: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "mM":
        expected = f"numbers in column {name!r}, which holds dates or times"
        raise ArgumentError.of(
            argument="data", received=str(values.dtype), expected=expected
        )
    numbers = _as_numbers(values)
    row = next((i for i, v in enumerate(numbers) if not _is_finite(v)), None)
    if row is not None:
        expected = f"finite numbers in column {name!r}; row {row + 1} has none"
        raise ArgumentError.of(
            argument="data", received=str(values[row]), expected=expected
        )
    return numbers


def _as_numbers(values: np.ndarray) -> np.ndarray:
    """Give float64 where all entries are numbers, else what came."""
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError):
        return values


def _is_finite(value: object) -> bool:
    try:
        return math.isfinite(float(str(value)))
    except ValueError:
        return False


READERS: Mapping[str, Callable[[Path, str | None], tuple[np.ndarray, np.ndarray]]] = {
    ".npz": _npz,
    ".csv": _csv,
    ".parquet": _parquet,
}
