from __future__ import annotations

import pytest

from fanin.places.comments import Comment, comments
from fanin.places.source import SourceFile, Sources


def read(tmp_path, text) -> SourceFile:
    path = tmp_path / "net.py"
    path.write_text(text)
    return Sources().file(str(path))


@pytest.mark.parametrize(
    ("text", "codes", "reason"),
    [
        ("x = 1  # fanin: ignore", (), ""),
        ("x = 1  # fanin: ignore[FAN204]", ("FAN204",), ""),
        ("x = 1  # fanin: ignore[FAN204, FAN1] why", ("FAN204", "FAN1"), "why"),
        ("x = 1  #fanin:ignore[FAN204]: it is", ("FAN204",), "it is"),
        ("x = 1  # noqa  # fanin: ignore[FAN2]", (), None),
    ],
    ids=str,
)
def test_a_comment_is_read_with_codes_and_reason(tmp_path, text, codes, reason):
    found = comments(read(tmp_path, text + "\n"))

    if reason is None:
        assert [c.codes for c in found] == [("FAN2",)]
    else:
        assert [(c.codes, c.reason) for c in found] == [(codes, reason)]


def test_a_string_that_looks_like_a_comment_is_none(tmp_path):
    assert comments(read(tmp_path, 'x = "# fanin: ignore"\n')) == ()


def test_other_comments_are_passed_over(tmp_path):
    assert comments(read(tmp_path, "x = 1  # fanin is fine\n")) == ()


def test_it_speaks_of_the_lines_it_stands_on_or_the_next_if_alone():
    inside = Comment(line=4)
    above = Comment(line=2, is_alone=True)

    assert inside.speaks_of(3, 5)
    assert not inside.speaks_of(5, 6)
    assert above.speaks_of(3, 5)
    assert not Comment(line=2).speaks_of(3, 5)
