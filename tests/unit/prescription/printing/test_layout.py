"""A plan's table fits a terminal, and its names can be read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.prescription.printing.layout import WIDTH, Columns, lines_of

HEADINGS = ("parameter", "shape", "role", "scheme", "gain", "std", "output rms")
WIDE = ("768×2304", "relative position bias", "truncated_normal, 4 blocks", "1.414")


def table(names):
    row = (*WIDE, "0.0123–0.0456", "0.208–0.216 → 0.204")
    return Columns(headings=HEADINGS, rows=tuple((name, *row) for name in names))


@given(names=st.lists(st.text("abc./", min_size=1, max_size=70), max_size=6))
def test_no_line_is_too_long(names):
    assert all(len(line) <= WIDTH for line in lines_of(table(names))[:2])
    assert all(
        len(line) <= WIDTH or line in {n[: len(line)] for n in names}
        for line in lines_of(table(names))[2:]
    )


@pytest.mark.parametrize("separator", [".", "/"])
def test_long_names_stand_whole_under_what_they_share(separator):
    names = [
        separator.join(("transformer", "h", "{0…11}", part, "weight (×12)"))
        for part in ("attn.c_attn", "attn.c_proj", "mlp")
    ]
    lines = lines_of(table([*names, "head.weight"]))[2:]

    folder = separator.join(("transformer", "h", "{0…11}"))
    assert lines[0] == folder
    assert [re.split(r"\s{2,}", line.strip())[0] for line in lines[1:]] == [
        *(name.removeprefix(folder)[1:] for name in names),
        "head.weight",
    ]


def test_short_names_stand_by_themselves():
    short = Columns(headings=HEADINGS[:2], rows=(("0.weight", "2×2"),))

    assert lines_of(short)[2:] == ["0.weight   2×2"]


def test_the_gain_is_the_first_column_to_go():
    assert "gain" not in lines_of(table(["weight"]))[0]
    assert "std" in lines_of(table(["weight"]))[0]
