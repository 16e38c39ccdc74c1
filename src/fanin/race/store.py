"""A store of runs: a SQLite file, a row for each trial, written as the results come.

A process that is killed loses the trials that were in flight and no others. Several
processes may write at a time.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanin.errors import ArgumentError
from fanin.race import encoding
from fanin.race.experiment import (
    Experiment,
    Failure,
    TrialResult,
    key_of,
    plain_settings,
)
from fanin.race.schema import create, reading, writing
from fanin.race.schema import default_store as default_store
from fanin.race.setting import FACTORS, Trial
from fanin.race.standings import Standings
from fanin.race.work import Outcome

if TYPE_CHECKING:
    import sqlite3

    from fanin.race.data import Dataset

LISTS = ("schemes", "activations", "seeds", "learning_rates")  # each trial has its own


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of an experiment. created: UTC; n_failed: trials that raised.

    n_done: trials with a result; seconds: of training so far, wall time.
    """

    id: int
    created: datetime
    experiment: Experiment
    n_trials: int
    n_done: int
    n_failed: int
    seconds: float

    @property
    def is_done(self) -> bool:
        """Say whether every trial is over."""
        return self.n_done + self.n_failed >= self.n_trials


@dataclass(frozen=True)
class Store:
    """A file of runs. Each call opens it anew, so that threads may share a Store."""

    path: Path

    @classmethod
    def open(cls, path: str | Path | None = None) -> Store:
        """Open a store, and make the file where there is none.

        Raises:
            OutputError: if it cannot be written.
            ArgumentError: if the file is something else, or of another version.
        """
        place = default_store() if path is None else Path(path)
        create(place)
        return cls(place)

    def begin(self, experiment: Experiment, data: Dataset) -> Journal:
        """Begin a run; give where its outcomes go."""
        facts = _facts(data)
        key = key_of([plain_settings(experiment), data.fingerprint])
        with writing(self.path) as db:
            row = db.execute(
                "INSERT INTO runs (key, created, experiment, data, n_trials, seconds) "
                "VALUES (?, ?, ?, ?, ?, 0)",
                (
                    key,
                    datetime.now(UTC).isoformat(timespec="seconds"),
                    json.dumps(plain_settings(experiment)),
                    json.dumps(facts),
                    experiment.n_trials,
                ),
            )
            number = int(row.lastrowid or 0)
        return Journal(self, number, experiment, data.fingerprint)

    def resume(self, number: int, data: Dataset) -> Journal:
        """Go on with a run.

        Raises:
            ArgumentError: if there is no such run, or the data have changed since.
        """
        run = self.run(number)
        with reading(self.path) as db:
            found = db.execute("SELECT data FROM runs WHERE id = ?", (number,))
            facts = json.loads(found.fetchone()["data"])
        if facts["fingerprint"] != data.fingerprint:
            expected = f"the data that run {number} began with; they have changed"
            raise ArgumentError.of(
                argument="data", received=run.experiment.data, expected=expected
            )
        return Journal(self, number, run.experiment, data.fingerprint)

    def runs(self) -> tuple[Run, ...]:
        """Give all runs, the oldest first."""
        with reading(self.path) as db:
            rows = db.execute(
                "SELECT runs.*, SUM(state <> 'failed') AS n_done, "
                "SUM(state = 'failed') AS n_failed FROM runs "
                "LEFT JOIN trials ON run = id GROUP BY id ORDER BY id"
            ).fetchall()
        return tuple(_run(row) for row in rows)

    def run(self, number: int) -> Run:
        """Give one run by its number.

        Raises:
            ArgumentError: if there is none; it names the last one.
        """
        runs = {run.id: run for run in self.runs()}
        if number not in runs:
            last = f"1 to {max(runs)}" if runs else "none is stored"
            expected = f"the number of a stored run ({last}; see `fanin compare list`)"
            raise ArgumentError.of(argument="run", received=number, expected=expected)
        return runs[number]

    def latest(self, *, is_unfinished: bool = False) -> Run:
        """Give the newest run, or the newest that is not finished.

        Raises:
            ArgumentError: if there is none.
        """
        runs = [run for run in self.runs() if not (is_unfinished and run.is_done)]
        if not runs:
            kind = "an unfinished run" if is_unfinished else "a run"
            raise ArgumentError.of(
                argument="store",
                received=str(self.path),
                expected=f"a file with {kind}",
            )
        return runs[-1]

    def load(self, number: int) -> Standings:
        """Read a run back, whole or as far as it came.

        Raises:
            ArgumentError: if there is no such run.
        """
        run = self.run(number)
        with reading(self.path) as db:
            found = db.execute("SELECT data FROM runs WHERE id = ?", (number,))
            facts = json.loads(found.fetchone()["data"])
            rows = db.execute(
                "SELECT * FROM trials WHERE run = ?", (number,)
            ).fetchall()
        done = _outcome(rows, run.experiment)
        del facts["fingerprint"]
        facts["sizes"] = run.experiment.sizes(*facts.pop("ends"))
        return Standings(
            experiment=run.experiment,
            results=done.results,
            failures=done.failures,
            seconds=run.seconds,
            is_partial=not run.is_done,
            **facts,
        )


class Journal:
    """Where the outcomes of one run go; see `fanin.race.run.Journal`."""

    def __init__(
        self, store: Store, number: int, experiment: Experiment, fingerprint: str
    ) -> None:
        self.store = store
        self.number = number
        self.experiment = experiment
        self._alike = _alike(experiment, fingerprint)
        self._last = time.perf_counter()

    def known(self) -> Outcome:
        """Give the results that are stored; trials that failed are tried again."""
        with reading(self.store.path) as db:
            rows = db.execute(
                "SELECT * FROM trials WHERE run = ? AND state <> 'failed'",
                (self.number,),
            ).fetchall()
        return _outcome(rows, self.experiment)

    def add(self, outcome: Outcome) -> None:
        """Write a row for each trial that is over, all in one transaction."""
        rows = [self._row(one.trial, run=one.run) for one in outcome.results]
        rows += [self._row(one.trial, error=one.error) for one in outcome.failures]
        now = time.perf_counter()
        with writing(self.store.path) as db:
            for row in rows:
                marks = ", ".join("?" * len(row))
                db.execute(
                    f"INSERT OR REPLACE INTO trials ({', '.join(row)}) "  # noqa: S608 (names of columns)
                    f"VALUES ({marks})",
                    tuple(row.values()),
                )
            db.execute(
                "UPDATE runs SET seconds = seconds + ? WHERE id = ?",
                (now - self._last, self.number),
            )
        self._last = now

    def _row(self, trial: Trial, *, run: Any = None, error: str | None = None) -> Any:  # noqa: ANN401 (columns of every kind)
        fields = dataclasses.asdict(trial)
        row = {"run": self.number, "key": key_of([self._alike, fields]), **fields}
        if run is None:
            return row | {"state": "failed", "error": error}
        return row | {
            "state": "done" if run.diverged_at is None else "diverged",
            "diverged_at": run.diverged_at,
            **{name: float(getattr(run, name)) for name in encoding.NUMBERS},
            "record": encoding.to_bytes(run),
        }


def _alike(experiment: Experiment, fingerprint: str) -> dict[str, Any]:
    """Give what is alike for all trials of an experiment and decides their numbers."""
    fields = plain_settings(experiment)
    kept = {k: v for k, v in fields.items() if k not in {*LISTS, *FACTORS}}
    return kept | {"fingerprint": fingerprint}


def _facts(data: Dataset) -> dict[str, Any]:
    return {
        "data": data.name,
        "n_train": len(data.targets),
        "n_valid": data.n_valid,
        "n_test": len(data.test_targets),
        "ends": [data.n_in, data.n_out],
        "guess": data.guess,
        "task": data.task,
        "fingerprint": data.fingerprint,
    }


def _run(row: sqlite3.Row) -> Run:
    return Run(
        id=row["id"],
        created=datetime.fromisoformat(row["created"]),
        experiment=_experiment(row["experiment"]),
        n_trials=row["n_trials"],
        n_done=row["n_done"] or 0,
        n_failed=row["n_failed"] or 0,
        seconds=row["seconds"],
    )


def _experiment(text: str) -> Experiment:
    """Read an experiment; a factor with one value is that value."""
    fields = json.loads(text)
    for name in LISTS:
        fields[name] = tuple(fields[name])
    for name in FACTORS:
        values = tuple(fields[name])
        fields[name] = values if len(values) > 1 else values[0]
    return Experiment(**fields)


def _outcome(rows: list[sqlite3.Row], experiment: Experiment) -> Outcome:
    """Read rows, in the experiment's order."""
    trials = [t for arm in experiment.arms for t in experiment.trials_of(*arm)]
    place = {trial: i for i, trial in enumerate(trials)}
    results: list[TrialResult] = []
    failures: list[Failure] = []
    for row in rows:
        names = (field.name for field in dataclasses.fields(Trial))
        trial = Trial(**{name: row[name] for name in names})
        if row["state"] == "failed":
            failures.append(Failure(trial=trial, error=row["error"]))
            continue
        numbers = {
            name: math.nan if row[name] is None else row[name]  # SQLite has no NaN
            for name in encoding.NUMBERS
        }
        run = encoding.from_bytes(row["record"], numbers, row["diverged_at"])
        results.append(TrialResult(trial=trial, run=run))
    return Outcome(
        results=tuple(sorted(results, key=lambda one: place[one.trial])),
        failures=tuple(sorted(failures, key=lambda one: place[one.trial])),
    )
