"""The tables of a store, and how a file of them is opened."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = 1  # PRAGMA user_version of a file
PATIENCE = 30.0  # seconds that a writer waits for another
OURS = frozenset({"runs", "trials"})
EMPTY: tuple[int, frozenset[str]] = (0, frozenset())  # of a file that is made just now

TABLES = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,          -- hash of the experiment and the data
    created TEXT NOT NULL,      -- UTC, ISO 8601
    experiment TEXT NOT NULL,   -- JSON: the fields of fanin.race.Experiment
    data TEXT NOT NULL,         -- JSON: counts, sizes, fingerprint
    n_trials INTEGER NOT NULL,
    seconds REAL NOT NULL
);
CREATE TABLE trials (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT NOT NULL,          -- hash of all that the trial's numbers depend on
    scheme TEXT NOT NULL,
    activation TEXT NOT NULL,
    depth INTEGER NOT NULL,
    width INTEGER NOT NULL,
    optimizer TEXT NOT NULL,
    normalization TEXT NOT NULL,
    learning_rate REAL NOT NULL,
    seed INTEGER NOT NULL,
    state TEXT NOT NULL,        -- done, diverged or failed
    error TEXT,                 -- of one that failed
    diverged_at INTEGER,
    first_loss REAL, final_loss REAL, train_accuracy REAL,
    valid_loss REAL, valid_accuracy REAL, test_accuracy REAL,
    seconds REAL,
    record BLOB,                -- .npz: losses by step, the start by layer
    PRIMARY KEY (run, key)
) WITHOUT ROWID;
"""


def default_store() -> Path:
    """Give the file in which runs are kept unless another is named.

    In the folder that this system has for what programs remember: XDG_STATE_HOME, or
    ~/.local/state; on macOS ~/Library/Application Support, on Windows %LOCALAPPDATA%.
    """
    home = Path.home()
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        folder = home / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    return folder / "fanin" / "runs.db"


def create(path: Path) -> None:
    """Make the file with its tables, where there is none; else check its version.

    Raises:
        OutputError: if it cannot be written, or is something else.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(_open(path)) as db:
            if not _is_empty(db):  # someone else's file stays as it is
                _require_ours(path, db)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")  # of two that come first, one waits
            if _contents(db) == EMPTY:
                _fill(db)
            db.execute("COMMIT")
    except (OSError, sqlite3.Error) as error:
        raise OutputError.of(path, error) from error


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a store that exists.

    Raises:
        ArgumentError: if there is none, or the file is something else.
    """
    if not path.is_file():
        expected = "a file of runs that exists: `fanin compare` makes one"
        raise ArgumentError.of(argument="store", received=str(path), expected=expected)
    try:
        with closing(_open(path)) as db:
            _require_ours(path, db)
            db.row_factory = sqlite3.Row
            yield db
    except sqlite3.DatabaseError as error:
        expected = f"a file of runs ({error})"
        raise ArgumentError.of(
            argument="store", received=str(path), expected=expected
        ) from error


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a store for one transaction: all of it is kept, or nothing.

    Raises:
        OutputError: if it cannot be written.
    """
    try:
        with closing(_open(path)) as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
    except sqlite3.Error as error:
        raise OutputError.of(path, error) from error


def _fill(db: sqlite3.Connection) -> None:
    """Make the tables, inside the transaction that is open."""
    for statement in TABLES.split(";\n"):
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {VERSION}")


def _open(path: Path) -> sqlite3.Connection:
    """Open without implicit transactions; FULL: a commit is on the disk."""
    db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    return db


def _contents(db: sqlite3.Connection) -> tuple[int, frozenset[str]]:
    """Give the version and the names of the tables, inside a transaction."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return version, frozenset(name for (name,) in found)


def _seen(db: sqlite3.Connection) -> tuple[int, frozenset[str]]:
    """Give the contents as of one moment, whoever writes meanwhile."""
    db.execute("BEGIN")
    try:
        return _contents(db)
    finally:
        db.execute("ROLLBACK")


def _is_empty(db: sqlite3.Connection) -> bool:
    return _seen(db) == EMPTY


def _require_ours(path: Path, db: sqlite3.Connection) -> None:
    version, tables = _seen(db)
    if version == VERSION and tables >= OURS:
        return
    expected = (
        f"a file of runs in version {VERSION}; this one is of version {version}"
        if tables >= OURS
        else "a file of runs; this is another kind of SQLite file"
    )
    raise ArgumentError.of(argument="store", received=str(path), expected=expected)
