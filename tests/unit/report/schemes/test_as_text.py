"""The table of schemes and the page of one, as a reader sees them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from fanin.graph.fans import Fan
from fanin.report.schemes import density_chart, scheme_page, scheme_table
from fanin.report.schemes.as_text import N_ROWS
from fanin.report.schemes.curve import EIGHTHS, block_lines, curve_of
from fanin.schemes import SCHEMES, find_scheme

FAN = Fan(n_in=300.0, n_out=100.0)


def test_the_table_has_every_scheme_in_its_order():
    rows = scheme_table(SCHEMES.values(), width=140).splitlines()

    assert [row.split()[0] for row in rows[1:]] == list(SCHEMES)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width):
    table = scheme_table(SCHEMES.values(), width=width)
    page = scheme_page(find_scheme("glorot_uniform"), width=width)

    assert max(len(line) for line in (table + "\n" + page).splitlines()) <= width


@pytest.mark.parametrize("name", SCHEMES)
def test_a_page_says_all_that_the_record_holds(name):
    scheme = SCHEMES[name]
    page = " ".join(scheme_page(scheme, width=400).split())

    for fact in (scheme.formula, scheme.keeps, *scheme.assumes, *scheme.aliases):
        assert " ".join(fact.split()) in page
    for source in scheme.sources:
        assert str(source) in page
    assert "\x1b" not in page


def test_a_page_gives_the_numbers_of_the_fans_asked_for():
    page = scheme_page(find_scheme("he_uniform"), FAN)

    assert "For fan_in 300, fan_out 100: std 0.08165, bound 0.1414" in page


def test_a_page_speaks_of_a_fixed_gain_as_fixed():
    assert "set the activation's" not in scheme_page(find_scheme("he(gain=1.4)"))
    assert "the plan sets the activation's own" in scheme_page(find_scheme("he"))
    assert "every weight is 0.5" in scheme_page(find_scheme("constant(0.5)"))


def test_colour_is_only_for_terminals_that_show_it():
    assert "\x1b[" in scheme_page(find_scheme("he"), is_coloured=True)
    assert "\x1b[" in scheme_table(SCHEMES.values(), is_coloured=True)


@pytest.mark.parametrize("name", SCHEMES)
def test_the_plot_is_as_tall_as_the_densest_weight(name):
    curve = curve_of(SCHEMES[name], FAN, 61)
    lines = block_lines(curve, N_ROWS)

    assert len(lines) == N_ROWS
    assert "█" in lines[0]


@pytest.mark.parametrize(
    "name", ["normal", "uniform", "truncated_normal", "orthogonal", "he_truncated"]
)
def test_the_plot_is_the_density_to_an_eighth_of_a_row(name):
    curve = curve_of(SCHEMES[name], FAN, 61)
    lines = [line.ljust(61) for line in block_lines(curve, N_ROWS)]
    tallest = max(curve.heights)

    for column, height in enumerate(curve.heights):
        drawn = sum(EIGHTHS.index(line[column]) for line in lines)
        assert drawn == pytest.approx(height / tallest * 8 * N_ROWS, abs=0.5)


def test_a_law_with_an_end_shows_it():
    heights = curve_of(find_scheme("uniform(bound=1)"), FAN, 61).heights

    assert heights[0] == heights[-1] == 0.0
    assert heights[5:-5] == pytest.approx([0.5] * 51)


def test_constants_and_identities_are_drawn_as_points():
    lines = block_lines(curve_of(find_scheme("identity"), FAN, 61), 3)

    assert [line.split() for line in lines] == [["█", "█"]] * 3


def test_a_tiny_orthogonal_matrix_has_poles_that_do_not_break_the_plot():
    for n_sides in (1.0, 2.0, 3.0):
        page = scheme_page(find_scheme("orthogonal"), Fan(n_in=n_sides, n_out=n_sides))

        assert "┼" in page


def test_the_chart_is_svg_with_a_curve_a_scheme():
    drawn = ET.fromstring(density_chart([SCHEMES["he_normal"], SCHEMES["he_uniform"]]))

    text = " ".join(drawn.itertext())
    assert "he_normal" in text
    assert "he_uniform" in text
