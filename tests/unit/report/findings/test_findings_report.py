from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from fanin.report.findings import concise, full, html, page_of, rule_list, rule_page
from fanin.rules import (
    RULES,
    Coverage,
    Evidence,
    Finding,
    Location,
    Report,
    Severity,
    Suppressed,
    Verdict,
)

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
  --> models/mlp.py:23
  help: Draw the incoming weights from a random law: fanin.init(model); fanin rule
  FAN103

FAN102 late-start  net.4.weight  info · measured
  1 parameter waits at the first step; all move by step 2.
  help: fanin rule FAN102

cannot learn (proved)
1 error, 1 note in 6 parameters, 9 sites, 31 rules
follows from the above, not listed: FAN102
1 finding is mended by a new draw: fanin check … --fix -o FILE, or report.fix(model)"""


def test_the_full_text_is_this():
    assert full(REPORT) == EXPECTED


def test_the_line_that_built_a_layer_is_shown_with_its_code():
    place = Location(file="net.py", line=7, text="self.fc = nn.Linear(2, 3)")
    shown = full(replace(REPORT, findings=(replace(TWINS, location=place),)))

    assert "\n  --> net.py:7   self.fc = nn.Linear(2, 3)\n" in shown


def test_numbers_are_shown_with_the_interval_they_were_expected_in():
    finding = replace(TWINS, measured="std", value=4.1, interval=(0.5, 2.0))
    shown = full(replace(REPORT, findings=(finding,)))

    assert "measured: std (4.1)\n  expected: 32 different units [0.5, 2]\n" in shown


def test_what_was_set_aside_is_counted_and_a_proof_is_named():
    aside = Suppressed(finding=TWINS, by="comment", reason="on purpose")
    report = replace(REPORT, findings=(), suppressed=(aside,))

    assert "1 suppressed (among them proved: FAN103)" in full(report, width=120)
    assert "1 suppressed (among them proved: FAN103)" in str(report)


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
