"""fanin compare: factors, what is kept, what is listed, shown and gone on with."""

from __future__ import annotations

import csv
import io
import json

import pytest

from fanin.cli import main
from fanin.race import Store
from fanin.race.run import load_for

QUICK = [
    "compare", "--schemes", "he_normal,zeros", "--activations", "relu", "--seeds", "2",
    "--depth", "2,3", "--width", "8", "--learning-rates", "0.1", "--steps", "10",
    "--batch-size", "16", "--data", "iris", "--jobs", "1", "--no-progress",
]  # fmt: skip


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Keep runs in this test's own folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return Store(tmp_path / "fanin" / "runs.db")


def test_a_run_is_kept_listed_and_shown(store, capsys):
    assert main([*QUICK, "--format", "json"]) == 0
    said = capsys.readouterr()
    raced = json.loads(said.out)

    assert "fanin compare show 1" in said.err
    assert main(["compare", "list"]) == 0
    assert "he_normal, zeros with relu on iris" in capsys.readouterr().out
    assert main(["compare", "show", "1", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown.pop("seconds") != raced.pop("seconds")
    assert shown == raced
    assert main(["compare", "show"]) == 0
    assert "relu, depth 3" in capsys.readouterr().out


def test_where_nothing_is_kept_the_list_says_so(store, capsys):
    assert main(["compare", "list"]) == 0
    assert "No run is kept yet" in capsys.readouterr().out


def test_nothing_is_kept_where_nothing_shall_be(store, capsys):
    assert main([*QUICK, "--no-store"]) == 0
    assert not store.path.exists()


def test_a_store_that_cannot_be_written_ends_nothing_unless_it_was_named(
    store, tmp_path, capsys
):
    (tmp_path / "fanin").write_text("in the way")

    assert main([*QUICK, "--format", "csv"]) == 0
    said = capsys.readouterr()
    assert "results are not kept" in said.err
    assert len(said.out.splitlines()) == 1 + 8
    assert main([*QUICK, "--store", str(tmp_path / "fanin" / "x.db")]) == 2


def test_a_run_goes_on_with_its_own_settings(store, capsys):
    main([*QUICK])
    whole = store.load(1)
    Store.open(store.path).begin(whole.experiment, load_for(whole.experiment))
    capsys.readouterr()

    assert main(["compare", "--resume", "--jobs", "1", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 8
    assert store.run(2).is_done


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--resume", "--depth", "3"], "alone"),
        (["--resume", "x"], "the number of a run"),
        (["--resume", "7"], "the number of a stored run (1 to 1"),
        (["--resume"], "an unfinished run"),
        (["show", "7"], "the number of a stored run"),
        (["--optimizer", "adamm"], "Did you mean 'adam'?"),
        (["--engine", "dusk"], "Did you mean 'dask'?"),
        (["--data", "nowhere.csv"], "a file that exists"),
        (["show", "1", "--format", "parquet"], "with -o FILE"),
        (["--net", "conv", "--data", "iris", "--depth", "1", "--jobs", "1"], "images"),
    ],
)
def test_what_cannot_be_is_one_clear_line(words, says, store, capsys):
    main([*QUICK])
    capsys.readouterr()

    assert main(["compare", *words]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".html", ".md"])
def test_the_files_ending_says_what_is_written(ending, store, tmp_path):
    path = tmp_path / f"out{ending}"

    assert main([*QUICK, "-o", str(path)]) == 0
    content = path.read_bytes()
    starts = {".csv": b"scheme,", ".parquet": b"PAR1", ".html": b"<!", ".md": b"# "}
    assert content.lower().startswith(starts[ending].lower())
