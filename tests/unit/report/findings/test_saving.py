"""A report is saved wholly or not at all, and becomes a table."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from fanin.cli import main
from fanin.errors import ArgumentError, MissingDependencyError, OutputError
from fanin.rules import Coverage, Finding, Report, Severity, Verdict
from fanin.rules.location import Location
from fanin.rules.profile import Profile, Row, Weight

NAN = Finding(
    code="FAN801",
    name="non-finite-value",
    severity=Severity.ERROR,
    where="0.weight",
    message="1 of its 6 numbers is NaN.",
    value=float("nan"),
    interval=(0.0, float("inf")),
    location=Location(file="net.py", line=3),
    paths=("0.weight",),
)
PROFILE = Profile(
    rows=(
        Row(name="0", kind="dense", shape=(4, 2), forward=0.5),
        Row(name="1", kind="elementwise", shape=(4, 2)),
    ),
    weights=(Weight(path="0.weight", shape=(2, 3), mean=0.0, std=0.1),),
)
REPORT = Report(
    verdict=Verdict.WILL_STRUGGLE,
    findings=(replace(NAN, value=2.0),),
    coverage=Coverage(n_parameters=2),
    profile=PROFILE,
)


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.html", "<!doctype html>"),
        ("a.json", '{\n  "schema": "fanin.check/1"'),
        ("a.sarif", '{\n  "version": "2.1.0"'),
        ("a.xml", "<?xml"),
        ("a.md", "### fanin"),
        ("a.txt", "FAN801"),
    ],
)
def test_the_suffix_says_how_a_report_is_saved(tmp_path, name, begins):
    written = REPORT.save(tmp_path / name)

    assert written.read_text(encoding="utf-8").startswith(begins)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_unknown_suffix_is_refused_and_the_known_are_named(tmp_path):
    with pytest.raises(ArgumentError, match=r"\.html.*\.sarif.*\.xml"):
        REPORT.save(tmp_path / "a.docx")

    assert list(tmp_path.iterdir()) == []


def test_an_old_file_outlives_a_failed_save(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr("os.fsync", _full)

    with pytest.raises(OutputError, match="space"):
        REPORT.save(path)
    assert path.read_text(encoding="utf-8") == "old"


def _full(_):
    raise OSError(28, "No space left on device")


def test_numbers_that_json_cannot_hold_survive_it():
    read = Report.from_json(replace(REPORT, findings=(NAN,)).to_json()).findings[0]

    assert read.value != read.value
    assert read.interval == NAN.interval


def test_findings_become_a_row_each():
    table = REPORT.to_frame()

    assert table["code"].tolist() == ["FAN801"]
    assert table[["value", "low", "high"]].to_numpy().tolist() == [
        [2.0, 0.0, float("inf")]
    ]
    assert table[["file", "line"]].to_numpy().tolist() == [["net.py", 3]]


@pytest.mark.parametrize(("what", "n_rows"), [("sites", 2), ("weights", 1)])
def test_sites_and_weights_become_a_row_each(what, n_rows):
    assert len(REPORT.to_frame(what)) == n_rows
    assert len(replace(REPORT, profile=None).to_frame(what)) == 0


def test_a_table_of_something_else_is_refused():
    with pytest.raises(ArgumentError, match="findings, sites, weights"):
        REPORT.to_frame("layers")


def test_without_pandas_the_line_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(MissingDependencyError, match=r"fanin\[pandas\]"):
        REPORT.to_frame()


@pytest.mark.parametrize("saved", ["a.html", "a.json"])
def test_a_saved_report_is_written_again_in_another_format(tmp_path, capsys, saved):
    REPORT.save(tmp_path / saved)

    assert main(["report", str(tmp_path / saved), "--format", "json"]) == 0
    assert Report.from_json(capsys.readouterr().out) == REPORT


def test_a_saved_report_takes_the_format_of_its_new_suffix(tmp_path):
    REPORT.save(tmp_path / "a.html")

    main(["report", str(tmp_path / "a.html"), "-o", str(tmp_path / "a.sarif")])
    assert '"2.1.0"' in (tmp_path / "a.sarif").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text", ["", "<html></html>", "{}", '{"schema": "fanin.check/1"}']
)
def test_what_is_no_report_is_refused(tmp_path, capsys, text):
    path = tmp_path / "a.html"
    path.write_text(text, encoding="utf-8")

    assert main(["report", str(path)]) == 2
    assert "holds no report" in capsys.readouterr().err


def test_a_missing_file_and_an_unknown_format_are_named(tmp_path, capsys):
    REPORT.save(tmp_path / "a.json")

    assert main(["report", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "a.json"), "--format", "sarf"]) == 2
    assert "Did you mean 'sarif'?" in capsys.readouterr().err


def test_the_schema_is_printed(capsys):
    assert main(["schema"]) == 0
    assert '"$id": "fanin.check/1"' in capsys.readouterr().out
