"""`fanin lesson`: the course, and lessons as files."""

from __future__ import annotations

from fanin.cli.main import main
from fanin.lab.lessons.course import course


def test_the_course_is_listed(capsys):
    assert main(["lesson"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        lesson.name for lesson in course()
    ]


def test_named_lessons_are_written_with_an_index(tmp_path, capsys):
    assert main(["lesson", "a1", "C1", "--out", str(tmp_path / "lessons")]) == 0

    names = ["A1.html", "C1.html", "index.html"]
    written = [tmp_path / "lessons" / name for name in names]
    assert capsys.readouterr().out.splitlines() == [str(path) for path in written]
    a1, c1, index = (path.read_text(encoding="utf-8") for path in written)
    assert "script-src 'sha256-" in a1
    assert '<form class="settings"' not in a1 + c1
    assert 'href="C1.html"' in a1
    assert 'href="A1.html"' in index
    assert 'href="A2.html"' not in a1 + index


def test_a_folder_without_lessons_is_refused(tmp_path, capsys):
    assert main(["lesson", "--out", str(tmp_path)]) == 2
    assert "--all" in capsys.readouterr().err


def test_an_unknown_lesson_is_named(capsys):
    assert main(["lesson", "Z9"]) == 2
    assert "Z9" in capsys.readouterr().err
