"""Runs are kept as they come: what is written is read back, and a kill loses little."""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from fanin.errors import ArgumentError, OutputError
from fanin.frameworks.torch.ensemble import train
from fanin.race import Experiment, Store
from fanin.race.experiment import Failure
from fanin.race.run import load_for, run
from fanin.race.schema import VERSION, default_store
from fanin.race.work import Outcome

SMALL = Experiment(
    schemes=("zeros", "he_normal", "normal(std=1e20)"),
    activations=("relu",),
    seeds=(0, 1),
    learning_rates=(0.5, 0.1),
    depth=2,
    width=8,
    n_steps=10,
    batch_size=16,
    data="iris",
)


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "runs.db")


def kept(store, experiment=SMALL):
    data = load_for(experiment)
    journal = store.begin(experiment, data)
    return journal.number, run(experiment, train, data=data, n_jobs=1, journal=journal)


def test_what_is_read_back_is_what_was_measured(store):
    number, first = kept(store)
    again = store.load(number)

    assert again.experiment == first.experiment
    assert len(again.results) == SMALL.n_trials
    for one, two in zip(first.results, again.results, strict=True):
        assert one.trial == two.trial
        assert np.array_equal(one.run.losses, two.run.losses, equal_nan=True)
        assert np.array_equal(one.run.start.rms, two.run.start.rms, equal_nan=True)
        assert len(one.run.start.samples) == len(two.run.start.samples)
        assert one.run.diverged_at == two.run.diverged_at
        assert one.run.test_accuracy == two.run.test_accuracy
    names = ("sizes", "data", "n_train", "n_valid", "n_test", "guess", "task")
    for name in names:
        assert getattr(again, name) == getattr(first, name)
    assert [c.p_corrected for c in again.contrasts] == pytest.approx(
        [c.p_corrected for c in first.contrasts], nan_ok=True
    )


def test_divergence_and_nan_are_rows_like_any_other(store):
    number, _ = kept(store)
    lost = [r for r in store.load(number).results if r.trial.scheme[0] == "n"]

    assert len(lost) == 4
    assert all(r.run.diverged_at == 0 for r in lost)
    assert all(math.isnan(r.run.final_loss) for r in lost)


def test_a_trial_is_one_row_however_often_it_is_written(store):
    number, first = kept(store)
    journal = store.resume(number, load_for(SMALL))
    journal.add(Outcome(results=first.results))

    assert store.run(number).n_done == SMALL.n_trials


def test_a_trials_key_depends_on_all_that_its_numbers_depend_on(tmp_path, store):
    def keys(experiment):
        number, _ = kept(store, experiment)
        with sqlite3.connect(store.path) as db:
            rows = db.execute("SELECT key FROM trials WHERE run = ?", (number,))
            return {key for (key,) in rows}

    usual = keys(SMALL)
    assert usual == keys(SMALL)
    wider = keys(dataclasses.replace(SMALL, schemes=("zeros", "lecun_normal")))
    assert len(usual & wider) == 4  # those of zeros
    assert not usual & keys(dataclasses.replace(SMALL, n_steps=11))
    assert not usual & keys(dataclasses.replace(SMALL, split_seed=1))


def test_a_run_goes_on_where_it_was_cut(store):
    _, whole = kept(store)
    data = load_for(SMALL)
    journal = store.begin(SMALL, data)
    journal.add(Outcome(results=whole.results[:5]))
    before = store.run(journal.number)
    seen = []

    def counted(cohort):
        seen.append(cohort.n_members)
        return train(cohort)

    resumed = store.resume(journal.number, data)
    after = run(SMALL, counted, data=data, n_jobs=1, journal=resumed)

    assert (before.n_done, before.is_done) == (5, False)
    assert sum(seen) == SMALL.n_trials - 5
    assert store.run(journal.number).is_done
    for one, two in zip(whole.results, after.results, strict=True):
        assert one.trial == two.trial
        assert one.run.losses == pytest.approx(two.run.losses, rel=1e-5, nan_ok=True)


def test_a_failed_trial_is_kept_with_its_error_and_tried_again(store):
    data = load_for(SMALL)
    journal = store.begin(SMALL, data)
    trial = SMALL.trials("zeros", "relu")[0]
    journal.add(Outcome(failures=(Failure(trial=trial, error="OSError: gone"),)))

    assert store.load(journal.number).failures[0].error == "OSError: gone"
    assert store.run(journal.number).n_failed == 1
    run(SMALL, train, data=data, n_jobs=1, journal=journal)
    assert store.run(journal.number).n_failed == 0


def test_a_run_does_not_go_on_with_other_data(store):
    number, _ = kept(store)
    other = load_for(dataclasses.replace(SMALL, split_seed=3))

    with pytest.raises(ArgumentError, match="they have changed"):
        store.resume(number, other)


def test_several_writers_lose_nothing(store):
    _, whole = kept(store)
    data = load_for(SMALL)
    journal = store.begin(SMALL, data)

    def write(part):
        for result in part:
            journal.add(Outcome(results=(result,)))

    threads = [
        threading.Thread(target=write, args=(whole.results[i::4],)) for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.run(journal.number).n_done == SMALL.n_trials


def test_a_store_of_another_version_or_kind_is_left_alone(tmp_path, store):
    with sqlite3.connect(store.path) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(ArgumentError, match=f"of version {VERSION + 1}"):
        store.runs()

    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE mine (x)")
    with pytest.raises(ArgumentError, match="another kind of SQLite file"):
        Store.open(other)
    text = tmp_path / "text.db"
    text.write_text("no database, and long enough to be taken for one\n" * 20)
    with pytest.raises((ArgumentError, OutputError), match="not a database"):
        Store.open(text)


def test_a_store_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(OutputError, match="Cannot write"):
        Store.open(tmp_path / "file" / "runs.db")


def test_the_usual_place_is_where_the_system_keeps_state(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert default_store() == tmp_path / "fanin" / "runs.db"


KILLED = """
import sys
from pathlib import Path
from fanin.cli import main
main(["compare", "--store", sys.argv[1], "--schemes", "zeros,he_normal,glorot_normal",
      "--activations", "relu", "--seeds", "4", "--depth", "3", "--width", "32",
      "--learning-rates", "0.1,0.01,0.001", "--steps", "400", "--data", "iris",
      "--batch-size", "16", "--jobs", "1", "--no-progress"])
"""


def rows_in(path):
    if not path.is_file():
        return 0
    try:
        with sqlite3.connect(path) as db:
            return db.execute("SELECT COUNT(*) FROM trials").fetchone()[0]
    except sqlite3.OperationalError:  # its tables are not made yet
        return 0


def test_a_process_that_is_killed_loses_the_trials_in_flight_and_no_others(
    tmp_path, capsys
):
    from fanin.cli import main

    path = tmp_path / "runs.db"
    victim = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while rows_in(path) == 0 and victim.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(victim.pid, signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    store = Store(path)
    before = store.latest()
    assert 0 < before.n_done < before.n_trials
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    words = ["--resume", "--store", str(path), "--jobs", "1", "--format", "csv"]
    assert main(["compare", *words, "--no-progress"]) == 0

    after = store.latest()
    assert (after.id, after.n_done) == (before.id, after.n_trials)
    assert len(capsys.readouterr().out.splitlines()) == 1 + after.n_trials


@pytest.mark.parametrize("version", [0, VERSION])
def test_a_file_of_someone_else_keeps_its_bytes(tmp_path, version):
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE mine (x)")
        db.execute(f"PRAGMA user_version = {version}")
    before = other.read_bytes()

    with pytest.raises(ArgumentError, match="another kind of SQLite file"):
        Store.open(other)
    assert other.read_bytes() == before
