"""A spec is read safely: a name, options, and nothing that runs."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.registry import Spec, parse_spec


@pytest.mark.parametrize(
    "text",
    [
        "normal(",
        "a.b",
        "normal(**options)",
        "normal(1 + 2)",
        "normal(2**9)",
        "normal(std=[1])",
        "normal(std=1, std=2)",
        "__import__('os').system('true')",
        "",
        "a\x00",
        "he-normal",
        "(" * 5000,
        "-" * 20000 + "1",
        5,
        None,
    ],
    ids=str,
)
def test_what_is_no_spec_is_refused(text):
    with pytest.raises(ArgumentError, match="Argument 'spec' must be a name such as"):
        parse_spec(text)


@given(
    name=st.from_regex(r"[a-z][a-z_0-9]{0,12}", fullmatch=True).filter(
        lambda word: not keyword.iskeyword(word)
    ),
    value=st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_number_comes_back_as_it_was_written(name, value):
    assert parse_spec(f"{name}({value!r})") == Spec(name=name, values=(value,))


def test_words_may_be_bare_or_quoted():
    assert parse_spec("he(mode=fan_out)") == parse_spec("he(mode='fan_out')")
