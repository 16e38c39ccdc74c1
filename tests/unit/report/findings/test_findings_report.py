from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from fanin.report.findings import concise, full, html, page_of, rule_list, rule_page
from fanin.rules import RULES, Coverage, Evidence, Finding, Report, Severity, Verdict

TWINS = Finding(
    code="FAN103",
    name="twin-units",
    severity=Severity.ERROR,
    where="net.<0>",
    message="32 units, but only 1 different, and it stays so at every step.",
    measured="32 of 32 units have a twin",
    expected="32 different units",
    why="Twins get equal gradients.",
    fix="Draw the incoming weights from a random law: fanin.init(model).",
    source="models/mlp.py:23",
    evidence=Evidence.PROVED,
    paths=("net.0.weight", "net.2.weight"),
)
NOTE = Finding(
    code="FAN102",
    name="late-start",
    severity=Severity.INFO,
    where="net.4.weight",
    message="1 parameter waits at the first step; all move by step 2.",
)
REPORT = Report(
    verdict=Verdict.CANNOT_LEARN,
    findings=(TWINS, NOTE),
    consequences=(NOTE,),
    coverage=Coverage(n_parameters=6, n_sites=9, n_rules=31),
)
EXPECTED = """\
FAN103 twin-units  net.<0>  error · proved
  32 units, but only 1 different, and it stays so at every step.
  measured: 32 of 32 units have a twin
  expected: 32 different units
  why: Twins get equal gradients.
  fix: Draw the incoming weights from a random law: fanin.init(model).
  --> models/mlp.py:23
  more: fanin rule FAN103

FAN102 late-start  net.4.weight  info · measured
  1 parameter waits at the first step; all move by step 2.
  more: fanin rule FAN102

cannot learn (proved)
1 error, 1 note in 6 parameters, 9 sites, 31 rules
follows from the above, not listed: FAN102"""


def test_the_full_text_is_this():
    assert full(REPORT) == EXPECTED


def test_notes_come_first():
    report = replace(REPORT, notes=("No batch was given: checked on noise.",))

    assert full(report) == f"{report.notes[0]}\n\n{EXPECTED}"
    assert str(report).startswith(report.notes[0])
    assert report.notes[0] in html(report)


def test_the_concise_text_is_the_reports_own():
    assert concise(REPORT) == str(REPORT)


@pytest.mark.parametrize("width", [40, 60, 200])
def test_no_line_is_wider_than_the_terminal(width):
    assert max(map(len, full(REPORT, width=width).splitlines())) <= width


def test_colour_adds_escapes_and_changes_no_word():
    coloured = full(REPORT, is_coloured=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)

    assert coloured != EXPECTED
    assert [line.rstrip() for line in plain.splitlines()] == EXPECTED.splitlines()


class Balance(HTMLParser):
    """Counts what is opened and not closed."""

    VOID = frozenset({"br", "meta", "link", "img", "input", "hr"})

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("text", [html(REPORT), page_of(REPORT)], ids=["part", "page"])
def test_every_tag_is_closed(text):
    parser = Balance()
    parser.feed(text)

    assert parser.open == []


def test_names_from_the_model_are_escaped():
    assert "net.&lt;0&gt;" in html(REPORT)
    assert "net.<0>" not in html(REPORT)


def test_the_html_says_all_that_the_text_says():
    text = re.sub(r"<[^>]+>", "", html(REPORT)).replace("&lt;", "<")

    for part in (TWINS.message, TWINS.measured, TWINS.why, TWINS.fix, NOTE.message):
        assert part in text


def test_a_page_holds_the_report_to_be_read_back():
    found = re.search(r'id="fanin-data">(.*?)</script>', page_of(REPORT), re.DOTALL)

    assert Report.from_json(json.dumps(json.loads(found[1]))) == REPORT


def test_every_rule_is_listed_once():
    listed = re.findall(r"^  (FAN\d+) ", rule_list(), flags=re.MULTILINE)

    assert listed == sorted(rule.code for rule in RULES.values())


@pytest.mark.parametrize("name", ["FAN103", "twin-units", "fan103"])
def test_a_rules_page_is_found_by_code_and_name(name):
    assert rule_page(name).startswith("# FAN103 twin-units\n")
