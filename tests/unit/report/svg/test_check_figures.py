"""The pictures of a check: strip, interval, histogram, units."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.report.page import number
from fanin.report.svg import (
    STYLES,
    Cell,
    Frame,
    Line,
    UnitRow,
    interval_picture,
    line_chart,
    small_histogram,
    unit_picture,
)
from fanin.report.svg.scale import range_of

SVG = "{http://www.w3.org/2000/svg}"
FRAME = Frame(title="Sizes", description="They fall.", is_log=True)
ANY = st.floats(allow_nan=True, allow_infinity=True)
COLOURS = {"0": (0, 0, 0), "1": (255, 255, 255)}


def chart(cells):
    line = Line(label="rms", x=[0.0, 1.0, 2.0], y=[1.0, 0.1, 0.01], style=STYLES[0])
    return ET.fromstring(line_chart([line], FRAME, cells=cells))


def test_cells_of_one_colour_are_one_path():
    cells = [Cell(colour="red"), Cell(colour="blue"), Cell(colour="red")]
    paths = {
        path.get("fill"): path.get("d") for path in chart(cells).iter(f"{SVG}path")
    }

    assert paths["red"].count("z") == 2
    assert paths["blue"].count("z") == 1


def test_a_flag_says_what_it_is_about():
    cells = [Cell(colour="red"), Cell(colour="red", is_flagged=True, words="a & b <c>")]
    titles = [e.text for e in chart(cells).iter(f"{SVG}title")]

    assert titles[1:] == ["a & b <c>"]


def test_a_chart_without_cells_is_as_it_was():
    assert "var(--bad)" not in ET.tostring(chart(())).decode()


def circle(svg):
    found = re.search(r'<circle cx="([\d.]+)"[^>]*fill="([^"]+)"', svg)
    return float(found[1]), found[2]


@pytest.mark.parametrize(
    ("value", "colour"),
    [(0.5, "var(--good)"), (1.0, "var(--good)"), (2.0, "var(--bad)")],
)
def test_a_dot_outside_its_band_has_another_colour(value, colour):
    svg = interval_picture(value, (0.1, 1.0), written=number)

    assert circle(svg)[1] == colour
    assert f"Measured {number(value)}, expected from 0.1 to 1." in svg


def test_a_dot_inside_stands_between_the_bands_ends():
    svg = interval_picture(0.5, (0.0, 1.0), written=number)
    left, width = map(
        float, re.search(r'<rect x="([\d.]+)"[^>]*width="([\d.]+)"', svg).groups()
    )

    assert circle(svg)[0] == pytest.approx(left + width / 2)


@given(value=ANY, low=ANY, high=ANY)
def test_every_number_and_interval_can_be_drawn_within_the_picture(value, low, high):
    root = ET.fromstring(interval_picture(value, (low, high), written=number))
    _, _, width, _ = map(float, root.get("viewBox").split())

    places = [float(e.get("cx")) for e in root.iter(f"{SVG}circle")]
    places += [float(e.get("x")) for e in root.iter(f"{SVG}text")]
    assert all(0.0 <= place <= width for place in places)


@given(counts=st.lists(st.integers(0, 10**6), min_size=1, max_size=40))
def test_a_small_histogram_comes_back_to_the_ground(counts):
    path = ET.fromstring(small_histogram(counts, words="x", colour="red"))[0].get("d")
    steps = [int(step) for step in re.findall(r"v(-?\d+)", path)]

    assert sum(steps) == 0
    assert path.count("h3") == len(counts)


def test_a_small_histogram_weighs_little():
    assert len(small_histogram([9, 99, 999] * 8, words="x" * 40, colour="red")) < 400


def test_units_of_layers_of_any_width_share_one_picture():
    rows = [UnitRow(name="a", marks="01"), UnitRow(name="b", marks="0" * 300, note="x")]
    root = ET.fromstring(unit_picture(rows, COLOURS, FRAME))
    texts = [e.text for e in root.iter(f"{SVG}text")]

    assert len(list(root.iter(f"{SVG}image"))) == 1
    assert {"a", "b", "x"} <= set(texts)


def test_of_many_layers_every_few_are_named():
    rows = [UnitRow(name=f"layer {i}", marks="0") for i in range(300)]
    svg = unit_picture(rows, COLOURS, FRAME)
    places = [
        float(e.get("y"))
        for e in ET.fromstring(svg).iter(f"{SVG}text")
        if (e.text or "").startswith("layer")
    ]

    assert len(places) < 100
    assert min(b - a for a, b in pairwise(places)) >= 12


def test_a_long_name_is_cut_at_its_front():
    rows = [UnitRow(name="encoder." * 30 + "fc1", marks="0")]
    (name,) = [
        e.text
        for e in ET.fromstring(unit_picture(rows, COLOURS, FRAME)).iter(f"{SVG}text")
        if (e.text or "").endswith("fc1")
    ]

    assert name.startswith("…")


@pytest.mark.parametrize("values", [[1e308], [5e-324, 1e308], [1.7e308, 1e-300]])
def test_the_largest_numbers_have_a_range(values):
    low, high = range_of(values, is_log=True)

    assert 0.0 < low < high < float("inf")
