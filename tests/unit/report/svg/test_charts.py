"""Charts: what a reader sees is where it should be, and can be read without seeing."""

from __future__ import annotations

import dataclasses
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from fanin.report.svg import (
    STYLES,
    Bar,
    Frame,
    Histogram,
    Line,
    Stage,
    bar_chart,
    heat_map,
    histogram_grid,
    key,
    line_chart,
    network_strip,
    standalone,
    style_of,
)

SVG = "{http://www.w3.org/2000/svg}"
FRAME = Frame(
    title="Loss <by> step", description="It falls & falls.", x_label="step",
    y_label="loss",
)  # fmt: skip
LOG = dataclasses.replace(FRAME, is_log=True)


def one(y, **changes):
    usual = {"label": "he", "x": range(len(y)), "y": y, "style": STYLES[0]}
    return Line(**(usual | changes))


def chart(kind):
    match kind:
        case "lines":
            return line_chart([one([3.0, 2.0, 1.0])], FRAME)
        case "bars":
            bar = Bar(label="he", value=0.9, style=STYLES[0], words="0.9")
            return bar_chart([bar], FRAME)
        case "heat":
            return heat_map([[1.0, 2.0], [3.0, 4.0]], FRAME, value_label="rms")
        case "histograms":
            cell = Histogram.of([0.1, 0.2], (0.0, 1.0), note="rms 0.1")
            rows = [("he", STYLES[0], [cell])]
            return histogram_grid(rows, FRAME, columns=["layer 1"], span=(0, 1))
        case "strip":
            stages = [Stage(name="fc1", words="64", value=1.0), Stage(name="fc2")]
            return network_strip(stages, FRAME)


KINDS = ["lines", "bars", "heat", "histograms", "strip"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_chart_is_an_image_with_a_title_and_a_description(kind):
    root = ET.fromstring(chart(kind))

    ids = {part.get("id"): part.text for part in root[:2]}
    names = [ids[name] for name in root.get("aria-labelledby").split()]
    assert root.get("role") == "img"
    assert names == ["Loss <by> step", "It falls & falls."]


@pytest.mark.parametrize("kind", KINDS)
def test_a_chart_takes_every_colour_from_the_page(kind):
    colours = re.findall(r'(?:fill|stroke)="([^"]+)"', chart(kind))

    assert set(colours) <= {
        "none", "var(--ink)", "var(--quiet)", "var(--line)", "var(--paper)",
        "var(--s1)",
    }  # fmt: skip


def test_a_drawing_saved_by_itself_brings_its_colours():
    assert "--s1:#0072b2" in standalone(chart("lines"))
    assert ET.fromstring(standalone(chart("lines"))).get("role") == "img"


def test_no_two_looks_share_dash_and_marker():
    looks = {(style.dash, style.marker) for style in STYLES}

    assert len(looks) == len(STYLES)


def test_the_first_looks_differ_in_each_of_colour_dash_and_marker():
    first = STYLES[:6]

    for trait in ("colour", "dash", "marker"):
        assert len({getattr(style, trait) for style in first}) == 6


def test_looks_repeat_when_they_run_out():
    assert style_of(len(STYLES)) is STYLES[0]


def paths(svg):
    root = ET.fromstring(svg)
    return [p.get("d") for p in root.iter(f"{SVG}path") if p.get("stroke-linejoin")]


def places(svg):
    return [
        tuple(map(float, pair))
        for path in paths(svg)
        for pair in re.findall(r"([\d.-]+) ([\d.-]+)", path)
    ]


def test_a_curve_that_falls_is_drawn_falling():
    heights = [y for _, y in places(line_chart([one([3.0, 2.0, 1.0])], FRAME))]

    assert heights == sorted(heights)
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.02)


def test_equal_ratios_are_equal_ways_on_a_log_axis():
    heights = [y for _, y in places(line_chart([one([1.0, 0.1, 0.01])], LOG))]

    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.02)


@pytest.mark.parametrize("gap", [float("nan"), float("inf"), 0.0])
def test_a_value_without_a_place_leaves_a_gap(gap):
    (path,) = paths(line_chart([one([1.0, 2.0, gap, 4.0, 5.0])], LOG))

    assert path.count("M") == 2


def test_a_curve_with_nothing_to_show_is_named_under_the_chart():
    svg = line_chart([one([0.0, 0.0], label="zeros"), one([1.0, 2.0])], LOG)

    assert "Not on this axis: zeros" in svg


def test_a_curve_that_leaves_the_frame_is_cut_at_its_edge():
    whole = dataclasses.replace(FRAME, y_range=(0.0, 1.5))
    frame = dataclasses.replace(FRAME, y_range=(0.0, 1.0))
    (left, _), (right, _) = places(line_chart([one([0.5, 1.5])], whole))
    _, end = places(line_chart([one([0.5, 1.5])], frame))

    assert end == pytest.approx(((left + right) / 2, 52), abs=0.02)


def test_where_a_curve_is_cut_there_is_no_marker():
    frame = dataclasses.replace(FRAME, y_range=(0.0, 1.0))
    line = one([0.5, 0.6, 1.5], has_stroke=False, marks="all", style=STYLES[1])

    assert line_chart([line], frame).count("M") == 2


def test_labels_do_not_overlap():
    lines = [one([1.0, 1.0 + i / 1000], label=f"scheme {i}") for i in range(6)]
    root = ET.fromstring(line_chart(lines, FRAME))

    heights = sorted(
        float(t.get("y")) for t in root.iter(f"{SVG}text") if "scheme" in t.text
    )
    gaps = [b - a for a, b in pairwise(heights)]
    assert len(heights) == 6
    assert min(gaps) >= 15.9


def test_a_band_lies_between_its_bounds():
    line = one([2.0, 2.0], low=[1.0, 1.0], high=[3.0, 3.0])
    root = ET.fromstring(line_chart([line], FRAME))

    band = next(root.iter(f"{SVG}polygon")).get("points").split()
    assert len(band) == 4


def test_a_chart_of_nothing_is_still_a_chart():
    assert ET.fromstring(line_chart([], LOG)).get("role") == "img"


def test_twice_the_value_is_twice_the_bar():
    bars = [
        Bar(label=str(v), value=v, style=STYLES[0], words=str(v)) for v in (0.3, 0.6)
    ]
    root = ET.fromstring(bar_chart(bars, FRAME))

    short, long = (float(r.get("width")) for r in root.iter(f"{SVG}rect"))
    assert long == pytest.approx(2 * short, rel=1e-3)


def test_a_bar_beyond_the_axis_stops_at_its_end():
    bars = [Bar(label=str(v), value=v, style=STYLES[0], words="") for v in (1.0, 7.0)]
    root = ET.fromstring(bar_chart(bars, FRAME))

    one, seven = (float(r.get("width")) for r in root.iter(f"{SVG}rect"))
    assert seven == one


def test_a_histogram_counts_every_value_once_and_no_nan():
    values = [-5.0, -1.0, -0.99, 0.0, 1.0, 7.0, float("nan"), float("inf")]
    found = Histogram.of(values, (-1.0, 1.0))

    assert sum(found.counts) == 7
    assert (found.counts[0], found.counts[15], found.counts[-1]) == (3, 1, 3)


def test_three_hundred_histograms_stay_small():
    cells = [Histogram.of([i / 50 for i in range(50)], (0.0, 1.0))] * 5
    rows = [("he", STYLES[0], cells)] * 60

    svg = histogram_grid(rows, FRAME, columns=["a"] * 5, span=(0, 1))
    assert len(svg) < 320_000


def test_a_long_strip_breaks_into_rows():
    stages = [Stage(name=f"fc{i}", value=float(i)) for i in range(1, 20)]
    one_row = network_strip(stages, FRAME, most_in_row=19)

    height = float(
        ET.fromstring(network_strip(stages, FRAME)).get("viewBox").split()[3]
    )
    low = float(ET.fromstring(one_row).get("viewBox").split()[3])
    assert height == low + 2 * 84


def test_a_flagged_stage_is_marked_in_words():
    assert "! fc1" in network_strip([Stage(name="fc1", is_flagged=True)], FRAME)


def test_a_key_names_every_series():
    found = key([("he", STYLES[0]), ("<glorot>", STYLES[1])])

    assert "<span>he</span>" in found
    assert "<span>&lt;glorot&gt;</span>" in found
