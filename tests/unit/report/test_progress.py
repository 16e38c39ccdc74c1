"""A bar on a terminal, and silence elsewhere."""

from __future__ import annotations

import io

import pytest

from fanin.report.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def written(stream, **options):
    with progress("Training", stream=stream, **options) as tell:
        tell(0, 10)
        tell(5, 10)
    return stream.getvalue()


def test_a_terminal_shows_how_much_is_done():
    text = written(Terminal())

    assert "Training" in text
    assert "5/10" in text


@pytest.mark.parametrize(
    ("stream", "options"), [(io.StringIO(), {}), (Terminal(), {"is_wanted": False})]
)
def test_a_pipe_or_who_wants_none_gets_nothing(stream, options):
    assert written(stream, **options) == ""
