"""How scripts are written: lines that fold, paths that become loops, short numbers."""

from __future__ import annotations

import ast
from itertools import chain, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.prescription.code.boxes import boxes_of
from fanin.prescription.code.lines import WIDTH, folded, laid_out
from fanin.prescription.code.loops import Words, statements
from fanin.prescription.code.numbers import exact, rounded
from fanin.prescription.code.recipe import Recipe

places = st.integers(1, 3).flatmap(
    lambda n: st.sets(st.tuples(*[st.integers(0, 4)] * n), min_size=1)
)


@given(places)
def test_boxes_hold_each_place_once(places):
    found = list(chain.from_iterable(product(*box) for box in boxes_of(places)))

    assert sorted(found) == sorted(places)


def test_a_product_of_ranges_is_one_box():
    grid = list(product(range(3), range(2), range(4)))

    assert boxes_of(grid) == (((0, 1, 2), (0, 1), (0, 1, 2, 3)),)


words = st.text("abcdefgh_", min_size=1, max_size=12)
expressions = st.recursive(
    words | words.map(lambda word: f'"{word}(,["') | st.integers().map(str),
    lambda inner: st.builds(
        lambda name, inner: f"{name}({', '.join(inner)})", words, st.lists(inner)
    ),
    max_leaves=30,
)


@given(expressions, st.integers(0, 3))
def test_a_folded_statement_means_the_same(expression, depth):
    lines = folded(f"value = {expression}", " " * 4 * depth)
    joined = "\n".join(lines).lstrip(" ")

    assert ast.dump(ast.parse(joined)) == ast.dump(ast.parse(f"value = {expression}"))


@given(expressions, st.integers(0, 3))
def test_a_folded_statement_is_as_narrow_as_its_words_let_it_be(expression, depth):
    lines = folded(f"value = {expression}", " " * 4 * depth)
    longest = max(lines, key=len)

    assert len(longest) <= WIDTH or not any(b in longest[:-1] for b in "([{")


def test_long_rows_of_numbers_are_filled():
    numbers = ", ".join(f"{i}.5" for i in range(100))
    lines = laid_out([f"    stds = ({numbers})"])

    assert len(lines) < 12
    assert ast.literal_eval("".join(lines).partition("=")[2].strip()) == tuple(
        i + 0.5 for i in range(100)
    )


def zeros(path, number="0"):
    return Recipe(path=path, role="bias", about="", law="constant", number=number)


def said(recipe, words: Words):
    return [f"set({words.path}, {words.number})"]


def run(recipes):
    """Run the statements; give what they set."""
    done: dict[str, float] = {}
    code = "\n".join(statements(recipes, said))
    exec(code, {"set": lambda path, number: done.update({path: number})})
    return done, code


paths = st.lists(
    st.builds(
        lambda name, *numbers: name.format(*numbers),
        st.sampled_from(
            ("a.{}.w", "a.{}.b.{}", "x{}.{}.y{}", "conv1.{}", "{{z}}.{}", '"q".{}')
        ),
        *[st.integers(0, 3)] * 3,
    )
    | st.sampled_from(("layer01.w", "layer02.w", "layer10.w")),
    unique=True,
)


@given(paths, st.data())
def test_loops_set_every_path_to_its_number_and_no_other(paths, data):
    numbers = data.draw(
        st.lists(
            st.sampled_from(("0", "0.5", "-2")),
            min_size=len(paths),
            max_size=len(paths),
        )
    )
    wanted = dict(zip(paths, numbers, strict=True))

    done, _ = run([zeros(path, number) for path, number in wanted.items()])

    assert done == {path: float(number) for path, number in wanted.items()}


@pytest.mark.parametrize(
    ("paths", "header"),
    [
        ([f"h.{i}.w" for i in range(12)], "for i in range(12):"),
        ([f"{i}.w" for i in range(1, 8, 2)], "for i in range(1, 8, 2):"),
        (["a", "b", "c"], 'for path in ("a", "b", "c"):'),
    ],
    ids=["layers", "every second", "names"],
)
def test_paths_become_the_loop_that_a_person_would_write(paths, header):
    assert run([zeros(path) for path in paths])[1].splitlines()[0] == header


def test_numbers_that_differ_are_counted_along():
    recipes = [zeros(f"{i}.b", str(i / 4)) for i in range(1, 4)]

    _, code = run(recipes)

    assert code.splitlines() == [
        "for i, value in enumerate((0.25, 0.5, 0.75), start=1):",
        '    set(f"{i}.b", value)',
    ]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_values_read_back_as_the_same_float32(value):
    assert np.float32(float(exact(value, "float32"))) == np.float32(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_values_read_back_as_the_same_float64(value):
    assert float(exact(value, "float64")) == value


@given(st.floats(1e-20, 1e20))
def test_stds_are_right_to_the_last_bit_of_float32(std):
    assert float(rounded(std)) == pytest.approx(std, rel=6e-7 / 2)
