from __future__ import annotations

import os

import pytest

from fanin.errors import OutputError
from fanin.files import ensure_writable, write_text


def test_a_written_file_holds_the_text(tmp_path):
    path = write_text(tmp_path / "plan.json", "η")

    assert path.read_text(encoding="utf-8") == "η"


def test_no_temporary_file_is_left(tmp_path):
    write_text(tmp_path / "plan.json", "{}")

    assert [p.name for p in tmp_path.iterdir()] == ["plan.json"]


def test_an_old_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text("old")
    path.chmod(0o640)
    write_text(path, "new")

    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("write", [lambda p: write_text(p, "x"), ensure_writable])
def test_a_folder_that_does_not_exist_is_one_clear_error(tmp_path, write):
    with pytest.raises(OutputError, match=r"Cannot write '.*nowhere.*plan.json'"):
        write(tmp_path / "nowhere" / "plan.json")


@pytest.mark.parametrize("write", [lambda p: write_text(p, "x"), ensure_writable])
def test_a_folder_in_place_of_a_file_is_refused(tmp_path, write):
    with pytest.raises(OutputError, match="it is a folder"):
        write(tmp_path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "plan.json"
    path.write_text("old")

    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError, match="No space left on device"):
        write_text(path, "new")

    assert [p.name for p in tmp_path.iterdir()] == ["plan.json"]
    assert path.read_text() == "old"
