from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.rules import (
    Coverage,
    Evidence,
    Finding,
    Location,
    Profile,
    Report,
    Severity,
    Suppressed,
    Verdict,
)
from fanin.rules.profile import Row

WORDS = st.text(max_size=20)
NUMBERS = st.floats(allow_nan=False)
FINDINGS = st.builds(
    Finding,
    code=WORDS,
    name=WORDS,
    severity=st.sampled_from(Severity),
    where=WORDS,
    message=WORDS,
    measured=WORDS,
    source=st.none() | WORDS,
    evidence=st.sampled_from(Evidence),
    paths=st.lists(WORDS, max_size=3).map(tuple),
    value=st.none() | st.floats(allow_nan=False),
    interval=st.none() | st.tuples(NUMBERS, NUMBERS),
    mends=st.none() | st.lists(WORDS, max_size=2).map(tuple),
    location=st.none()
    | st.builds(Location, file=WORDS, line=st.integers(1, 999), text=WORDS),
)
REPORTS = st.builds(
    Report,
    verdict=st.sampled_from(Verdict),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    consequences=st.lists(FINDINGS, max_size=2).map(tuple),
    notes=st.lists(WORDS, max_size=2).map(tuple),
    suppressed=st.lists(
        st.builds(
            Suppressed,
            finding=FINDINGS,
            by=st.sampled_from(("comment", "config", "baseline")),
            reason=WORDS,
        ),
        max_size=2,
    ).map(tuple),
    profile=st.none() | st.just(Profile(rows=(Row(name="0", kind="linear"),))),
    framework=WORDS,
    target=WORDS,
    coverage=st.builds(
        Coverage,
        n_parameters=st.integers(0, 99),
        unasked=st.lists(WORDS, max_size=2).map(tuple),
    ),
)


def example(severity=Severity.ERROR):
    finding = Finding(
        code="FAN103",
        name="twin-units",
        severity=severity,
        where="0",
        message="32 units, but only 1 different.",
    )
    return Report(
        verdict=Verdict.CANNOT_LEARN,
        findings=(finding,),
        coverage=Coverage(n_parameters=4, n_sites=5, n_rules=31),
    )


@given(report=REPORTS)
def test_a_report_is_read_back_as_it_was_written(report):
    assert Report.from_json(report.to_json()) == report


def test_json_names_its_schema():
    assert json.loads(example().to_json())["schema"] == "fanin.check/1"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "fanin.plan/1"}'])
def test_other_json_is_refused(text):
    with pytest.raises(ArgumentError, match=r"fanin\.check/1"):
        Report.from_json(text)


def test_a_report_prints_one_line_a_finding_and_one_for_the_whole():
    assert str(example()) == (
        "FAN103 error 0: 32 units, but only 1 different.\n"
        "cannot learn (proved): 1 error in 4 parameters, 5 sites, 31 rules."
    )


@pytest.mark.parametrize(
    ("severity", "ok"),
    [(Severity.ERROR, False), (Severity.WARNING, True), (Severity.INFO, True)],
)
def test_a_report_is_ok_without_errors(severity, ok):
    assert example(severity).ok is ok


def test_findings_are_given_by_severity():
    report = example(Severity.WARNING)

    assert (report.errors, report.warnings, report.infos) == ((), report.findings, ())


def test_a_notebook_shows_html():
    assert "32 units, but only 1 different." in example()._repr_html_()
