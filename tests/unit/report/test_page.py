"""The frame of every HTML page: one file, safe, readable without a script."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from fanin.report.page import (
    Html,
    Section,
    figure,
    fragment,
    notice,
    number,
    page,
    stylesheet,
    table,
)

VOID = {"meta", "br", "img", "hr", "input", "link"}


class Tree(HTMLParser):
    """Collects tags and fails on one closed out of order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(text):
    tree = Tree()
    tree.feed(text)
    assert tree.open == []
    return tree


@pytest.fixture
def whole():
    parts = [
        Section(title=f"Part {i}", body=table(["name", "value"], [["a<b", 0.5]]))
        for i in range(3)
    ]
    return page(
        title="A & B", sections=parts, lead="<p>x</p>", data={"t": "</script><b>"}
    )


def test_a_page_is_well_formed_and_has_one_heading_of_level_1(whole):
    assert parsed(whole).tags.count("h1") == 1


@pytest.mark.parametrize("landmark", ["header", "main", "footer", "nav"])
def test_a_page_has_each_landmark_once(whole, landmark):
    assert parsed(whole).tags.count(landmark) == 1


def test_a_page_states_its_language(whole):
    assert ("html", {"lang": "en"}) in parsed(whole).attributes


def test_a_page_asks_nothing_of_another_host(whole):
    links = re.findall(r"(?:src|href)=[\"']([^\"']+)|url\(([^)]+)\)", whole)

    assert all(a.startswith("#") and not b for a, b in links)


def test_a_page_runs_no_script(whole):
    scripts = [a for tag, a in parsed(whole).attributes if tag == "script"]

    assert [a["type"] for a in scripts] == ["application/json"]


def test_embedded_data_cannot_close_its_block_and_reads_back(whole):
    block = re.search(r'id="fanin-data">(.*?)</script>', whole, re.DOTALL)

    assert json.loads(block.group(1)) == {"t": "</script><b>"}


def test_every_link_in_the_contents_leads_to_a_heading(whole):
    tree = parsed(whole)
    ids = {a["id"] for _, a in tree.attributes if "id" in a}

    links = {
        a["href"][1:] for t, a in tree.attributes if t == "a" and a.get("href") != "#"
    }
    assert links <= ids


def test_text_is_escaped_in_a_title_and_in_cells(whole):
    assert "A &amp; B</title>" in whole
    assert "a&lt;b" in whole


def test_html_in_a_cell_is_left_as_it_is():
    assert "<td><b>x</b></td>" in table(["a", "b"], [["row", Html("<b>x</b>")]])


def test_the_first_cell_names_its_row():
    assert '<th scope="row">row</th>' in table(["a", "b"], [["row", 1]])


def test_a_wide_table_can_be_reached_and_scrolled_by_keyboard():
    tree = parsed(table(["a", "b"], [["row", 1]], caption="What it shows"))

    expected = {"role": "region", "tabindex": "0", "aria-label": "What it shows"}
    assert expected.items() <= tree.attributes[0][1].items()


def test_a_figure_holds_caption_and_folded_numbers():
    tree = parsed(figure("<svg></svg>", caption="It grows.", numbers="<p>1</p>"))

    assert tree.tags == [
        "figure",
        "div",
        "svg",
        "figcaption",
        "details",
        "summary",
        "p",
    ]


def test_a_notice_says_its_kind_without_colour():
    assert "✗" in notice("bad", "It fails.")
    assert "✓" in notice("good", "It works.")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1e-300, "1·10⁻³⁰⁰"),
        (999.9, "1,000"),
        (99.99, "100"),
        (12.34, "12.3"),
        (float("-inf"), "−∞"),
        (-0.25, "−0.25"),
        (123456.0, "123,456"),
    ],
)
def test_a_number_is_short_and_never_rounded_to_zero(value, text):
    assert number(value) == text


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def colours(scheme):
    light, dark = stylesheet().split("prefers-color-scheme: dark")
    block = light if scheme == "light" else dark
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["s1", "s2", "s3", "s4", "s5", "s6"])
def test_graphics_stand_out_from_the_paper(scheme, name):
    # WCAG 2.2, 1.4.11: 3 to 1 for what must be seen.
    found = colours(scheme)

    assert contrast(found[name], found["paper"]) >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("paper", ["paper", "wash"])
@pytest.mark.parametrize("name", ["ink", "quiet", "link", "good", "bad"])
def test_text_stands_out_from_the_paper(scheme, paper, name):
    # WCAG 2.2, 1.4.3: 4.5 to 1 for text.
    found = colours(scheme)

    assert contrast(found[name], found[paper]) >= 4.5


def test_a_fragment_keeps_its_styles_to_its_own_box():
    rules = re.findall(r"(?:^|[}])\s*([^{}@]+)\{", stylesheet())

    selectors = [part.strip() for rule in rules for part in rule.split(",")]
    assert all(".fanin" in part for part in selectors)
    assert fragment("x").startswith('<div class="fanin"><style>')
