"""Every format holds what was found, and is what its readers take it for."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from copy import deepcopy
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_sarif.model import (
    StaticAnalysisResultsFormatSarifVersion210JsonSchema as SarifLog,
)

from fanin.report.findings import FORMATS, Look, concise, of_suffix
from fanin.report.findings.as_github import github
from fanin.report.findings.as_junit import junit
from fanin.report.findings.as_markdown import MOST_FINDINGS, markdown
from fanin.report.findings.as_sarif import fingerprint, sarif
from fanin.report.findings.reading import read, schema
from fanin.rules import RULES, Coverage, Evidence, Finding, Report, Severity, Verdict
from fanin.rules.location import Location
from fanin.rules.profile import Bins, Profile, Row, TwinUnits, Weight
from fanin.rules.suppressed import Suppressed

FEW = settings(max_examples=20, deadline=None)
WORDS = st.text(max_size=12)
NUMBERS = st.floats(allow_nan=False)
FINDINGS = st.builds(
    Finding,
    code=st.sampled_from(sorted(rule.code for rule in RULES.values())),
    name=WORDS,
    severity=st.sampled_from(Severity),
    where=WORDS,
    message=WORDS,
    measured=WORDS,
    expected=WORDS,
    why=WORDS,
    fix=WORDS,
    source=st.none() | WORDS,
    evidence=st.sampled_from(Evidence),
    paths=st.lists(WORDS, max_size=2).map(tuple),
    value=st.none() | NUMBERS,
    interval=st.none() | st.tuples(NUMBERS, NUMBERS),
    mends=st.none() | st.lists(WORDS, max_size=2).map(tuple),
    location=st.none()
    | st.builds(
        Location,
        file=st.text(min_size=1, max_size=12),
        line=st.integers(1, 999),
        column=st.integers(1, 80),
        text=WORDS,
        kind=st.sampled_from(("constructs", "defines", "runs")),
    ),
)
BINS = st.builds(
    Bins,
    reach=st.floats(0.0, 1e9),
    counts=st.lists(st.integers(0, 9), min_size=3, max_size=3).map(tuple),
)
SIZES = st.none() | st.floats(0.0, allow_nan=False)
ROWS = st.builds(
    Row,
    name=WORDS,
    kind=st.sampled_from(("input", "dense", "elementwise", "add")),
    shape=st.lists(st.integers(1, 9), max_size=3).map(tuple),
    weight=WORDS,
    is_trunk=st.booleans(),
    forward=SIZES,
    between=SIZES,
    maximum=SIZES,
    gradient=SIZES,
    predicted=SIZES,
    dead=SIZES,
    units=st.text("01+", max_size=3),
    n_units=st.integers(0, 9),
    values=st.none() | BINS,
)
PROFILES = st.builds(
    Profile,
    rows=st.lists(ROWS, max_size=3).map(tuple),
    weights=st.lists(
        st.builds(
            Weight,
            path=WORDS,
            shape=st.just((2, 3)),
            mean=NUMBERS,
            std=NUMBERS,
            n_in=st.none() | st.just(3.0),
            step=st.none() | st.integers(0, 3),
            gradient=SIZES,
            values=st.none() | BINS,
            gradients=st.none() | BINS,
        ),
        max_size=2,
    ).map(tuple),
    twins=st.lists(
        st.builds(
            TwinUnits,
            name=WORDS,
            size=st.just(3),
            n_different=st.just(1),
            labels=st.just((0, 0, 0)),
        ),
        max_size=1,
    ).map(tuple),
    loss=st.none() | NUMBERS,
    batch_size=st.integers(0, 9),
)
REPORTS = st.builds(
    Report,
    verdict=st.sampled_from(Verdict),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    consequences=st.lists(FINDINGS, max_size=1).map(tuple),
    notes=st.lists(WORDS, max_size=2).map(tuple),
    suppressed=st.lists(
        st.builds(
            Suppressed,
            finding=FINDINGS,
            by=st.sampled_from(("comment", "config", "baseline")),
            reason=WORDS,
        ),
        max_size=1,
    ).map(tuple),
    profile=st.none() | PROFILES,
    framework=st.sampled_from(("torch", "keras", "jax")),
    target=st.sampled_from(("", "net.py:make(width=4)", "pkg.net:make")),
    coverage=st.builds(
        Coverage,
        n_parameters=st.integers(0, 99),
        asked=st.just(("FAN101", "FAN103")),
        unasked=st.just(("FAN003",)),
    ),
)
TWINS = Finding(
    code="FAN103",
    name="twin-units",
    severity=Severity.ERROR,
    where="net.0",
    message="32 units, but only 1 different.",
    measured="100 % twins",
    location=Location(
        file="models/my net.py", line=23, column=9, text="self.a = nn.Linear(2, 3)"
    ),
    paths=("net.0.weight", "net.2.weight"),
)
REPORT = Report(
    verdict=Verdict.WILL_STRUGGLE,
    findings=(TWINS,),
    coverage=Coverage(n_parameters=4, n_rules=2, asked=("FAN101", "FAN103")),
    target="net.py:make",
)


def results_of(report):
    return json.loads(sarif(report))["runs"][0]["results"]


@FEW
@given(report=REPORTS, name=st.sampled_from(sorted(FORMATS)))
def test_every_format_writes_every_report(report, name):
    assert isinstance(FORMATS[name].write(report, Look()), str)


@FEW
@given(report=REPORTS)
def test_a_page_and_its_json_are_read_back_as_they_were_written(report):
    page = FORMATS["html"].write(report, Look())

    assert read(page) == report
    assert read(report.to_json()) == report


def strict(node):
    """Give a schema that forbids what it does not name: so it cannot lag behind."""
    found = deepcopy(node)
    waiting = [found]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if "properties" in each:
                each["additionalProperties"] = False
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return found


@FEW
@given(report=REPORTS)
def test_json_is_what_the_shipped_schema_says_and_no_more(report):
    shipped = json.loads(schema())

    jsonschema.Draft202012Validator.check_schema(shipped)
    jsonschema.validate(json.loads(report.to_json()), strict(shipped))


@pytest.mark.parametrize("left_out", ["verdict", "findings", "profile"])
def test_the_schema_refuses_a_report_with_a_part_left_out(left_out):
    data = json.loads(REPORT.to_json())
    del data[left_out]

    with pytest.raises(jsonschema.ValidationError, match=left_out):
        jsonschema.validate(data, json.loads(schema()))


@FEW
@given(report=REPORTS)
def test_sarif_is_what_its_schema_allows(report):
    log = json.loads(sarif(report))
    for result in log["runs"][0]["results"]:
        for each in result.get("suppressions", ()):
            # Called "state" in the draft of 2.1.0 that pydantic-sarif was made from.
            each["state"] = each.pop("status")

    SarifLog.model_validate(log)


def test_sarif_that_breaks_its_schema_is_refused():
    log = json.loads(sarif(REPORT))
    log["runs"][0]["results"][0]["place"] = "net.0"

    with pytest.raises(ValueError, match="place"):
        SarifLog.model_validate(log)


def test_sarif_lists_every_rule_even_when_nothing_was_found():
    run = json.loads(sarif(Report(verdict=Verdict.HEALTHY)))["runs"][0]
    codes = [rule["id"] for rule in run["tool"]["driver"]["rules"]]

    assert run["results"] == []
    assert codes == sorted(rule.code for rule in RULES.values())
    assert all(rule["help"]["markdown"] for rule in run["tool"]["driver"]["rules"])


def test_sarif_puts_a_finding_on_the_line_that_builds_its_layer():
    (result,) = results_of(REPORT)
    (location,) = result["locations"]
    physical = location["physicalLocation"]

    assert physical["artifactLocation"] == {
        "uri": "models/my%20net.py",
        "uriBaseId": "%SRCROOT%",
    }
    assert physical["region"]["startLine"] == 23
    names = [place["fullyQualifiedName"] for place in location["logicalLocations"]]
    assert names == list(TWINS.paths)


def test_sarif_points_at_its_rule_by_number():
    (result,) = results_of(REPORT)
    rules = json.loads(sarif(REPORT))["runs"][0]["tool"]["driver"]["rules"]

    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "FAN103"


def test_a_finding_without_a_line_is_put_into_the_file_that_was_checked():
    report = replace(REPORT, findings=(replace(TWINS, location=None),))
    (location,) = results_of(report)[0]["locations"]

    assert location["physicalLocation"]["artifactLocation"]["uri"] == "net.py"


def test_a_fingerprint_outlives_a_change_of_what_was_measured():
    later = replace(TWINS, message="31 units.", measured="97 %", value=0.97)

    mark = fingerprint(TWINS, "Net")
    assert fingerprint(later, "Net") == mark
    assert fingerprint(replace(TWINS, code="FAN104"), "Net") != mark
    assert fingerprint(replace(TWINS, paths=("a",)), "Net") != mark


def test_two_models_with_the_same_paths_have_findings_of_their_own():
    named = (replace(REPORT, target=name, findings=(TWINS,)) for name in ("A", "B"))
    marks = [results_of(report)[0]["partialFingerprints"] for report in named]

    assert marks[0] != marks[1]


def test_equal_findings_have_fingerprints_of_their_own():
    marks = [
        result["partialFingerprints"]["fanin/v2"]
        for result in results_of(replace(REPORT, findings=(TWINS, TWINS)))
    ]

    assert len(set(marks)) == 2


@pytest.mark.parametrize(
    ("by", "kind"),
    [("comment", "inSource"), ("config", "external"), ("baseline", "external")],
)
def test_what_was_set_aside_is_kept_and_says_why(by, kind):
    aside = Suppressed(finding=TWINS, by=by, reason="on purpose")
    (result,) = results_of(replace(REPORT, findings=(), suppressed=(aside,)))

    assert result["suppressions"] == [
        {"kind": kind, "status": "accepted", "justification": "on purpose"}
    ]


def test_sarif_says_that_a_model_was_not_checked():
    run = json.loads(sarif(Report(verdict=Verdict.NOT_CHECKED)))["runs"][0]

    assert run["invocations"][0]["executionSuccessful"] is False


@FEW
@given(report=REPORTS)
def test_junit_counts_what_it_holds(report):
    root = ET.fromstring(junit(report))
    (suite,) = root
    cases = suite.findall("testcase")

    assert root.tag == "testsuites"
    assert int(suite.get("tests")) == len(cases) == len(RULES) + 1
    counts = {"failure": "failures", "skipped": "skipped", "error": "errors"}
    for child, count in counts.items():
        assert int(suite.get(count)) == len(suite.findall(f"testcase/{child}"))


JUNIT_PARTS = {
    "testsuites": (
        {"name", "tests", "failures", "errors", "skipped", "time"},
        {"testsuite"},
    ),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time"},
        {"properties", "testcase", "system-out"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": (
        {"name", "classname", "time", "file", "line"},
        {"failure", "error", "skipped", "system-out"},
    ),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}  # fmt: skip


@FEW
@given(report=REPORTS)
def test_junit_holds_no_element_or_attribute_that_its_readers_do_not_know(report):
    for element in ET.fromstring(junit(report)).iter():
        attributes, children = JUNIT_PARTS[element.tag]
        assert set(element.keys()) <= attributes
        assert {child.tag for child in element} <= children


def cases_of(report):
    cases = ET.fromstring(junit(report)).iter("testcase")
    return {case.get("name").split()[0]: case for case in cases}


def test_a_rule_that_was_not_asked_never_looks_passed():
    cases = cases_of(REPORT)

    assert cases["FAN101"].find("skipped") is None
    assert cases["FAN103"].find("failure").get("type") == "error"
    assert cases["FAN805"].find("skipped").get("message") == "not selected"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_junit_has_an_error_exactly_where_nothing_was_checked(verdict):
    cases = ET.fromstring(junit(replace(REPORT, verdict=verdict))).iter("testcase")
    errors = [case.find("error") is not None for case in cases]

    assert any(errors) is (verdict is Verdict.NOT_CHECKED)


def test_information_is_no_failure():
    note = replace(TWINS, severity=Severity.INFO)
    case = cases_of(replace(REPORT, findings=(note,)))["FAN103"]

    assert case.find("failure") is None
    assert "32 units" in case.find("system-out").text


COMMAND = re.compile(r"::(error|warning|notice) ([^:]*(?:::|$))")


@FEW
@given(report=REPORTS)
def test_a_github_annotation_is_one_line(report):
    lines = github(report).split("\n")

    assert len(lines) == len(report.findings) + 1
    assert all(COMMAND.match(line) for line in lines)


def test_a_github_annotation_names_file_line_and_title():
    first = github(REPORT).split("\n")[0]

    assert first == (
        "::error file=models/my net.py,line=23,col=9,title=FAN103 twin-units::"
        "net.0: 32 units, but only 1 different.%0Ameasured: 100 %25 twins"
    )


def test_github_is_told_that_a_model_was_not_checked():
    last = github(Report(verdict=Verdict.NOT_CHECKED)).split("\n")[-1]

    assert last.startswith("::warning title=fanin::not checked")


def test_what_markdown_would_read_is_escaped():
    odd = replace(TWINS, message="a | b\n<script> *c* `d`", where="x|y")
    (row,) = [
        line
        for line in markdown(replace(REPORT, findings=(odd,))).split("\n")
        if line.startswith("| error")
    ]

    assert r"a \| b &lt;script&gt; \*c\* \`d\`" in row
    assert len(re.findall(r"(?<!\\)\|", row)) == 5


def test_a_comment_holds_a_report_of_any_length():
    rows = tuple(
        Row(name=f"layer.{i}", kind="dense", is_trunk=True) for i in range(999)
    )
    many = replace(REPORT, findings=(TWINS,) * 200, profile=Profile(rows=rows))
    text = markdown(many)

    assert len(text) < 65_536
    assert f"and {200 - MOST_FINDINGS} more." in text


def test_a_line_of_a_log_begins_with_its_place():
    assert concise(REPORT).startswith("models/my net.py:23:9: FAN103 error net.0: 32")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.html", "html"),
        ("a.json", "json"),
        ("a.sarif", "sarif"),
        ("a.sarif.json", "sarif"),
        ("a.xml", "junit"),
        ("a.md", "markdown"),
        ("A.TXT", "text"),
    ],
)
def test_a_suffix_names_its_format(path, name):
    assert of_suffix(path).name == name
