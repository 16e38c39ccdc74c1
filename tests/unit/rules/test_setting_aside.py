from __future__ import annotations

import json

import pytest

from fanin.errors import ArgumentError
from fanin.rules import Coverage, Evidence, Finding, Report, Severity, Verdict
from fanin.rules.baseline import fingerprint, read_baseline, write_baseline
from fanin.rules.mending import is_mendable, mends, to_draw
from fanin.rules.setting_aside import by_pattern, means, set_aside


def finding(code="FAN101", paths=("fc.weight",), **words):
    fields = {
        "code": code,
        "name": "never-moves",
        "severity": Severity.ERROR,
        "where": ", ".join(paths) or "the whole",
        "message": "It never moves.",
        "evidence": Evidence.PROVED,
        "paths": paths,
    }
    return Finding(**fields | words)


def report(*findings, asked=("FAN101",)):
    cover = Coverage(n_parameters=2, n_sites=3, n_rules=9, asked=asked)
    return Report(
        verdict=Verdict.CANNOT_LEARN, findings=tuple(findings), coverage=cover
    )


@pytest.mark.parametrize("word", ["FAN101", "FAN1", "fan101", "never-moves"])
def test_a_rule_is_meant_by_code_beginning_or_name(word):
    assert means(word, finding())


def test_a_pattern_sets_aside_what_it_covers_and_no_more():
    both = finding(paths=("head.weight", "fc.weight"))
    done = set_aside(
        report(finding(paths=("head.weight",)), both),
        [by_pattern({"head.*": ["FAN101"]})],
    )

    assert done.findings == (both,)
    assert [s.by for s in done.suppressed] == ["config"]
    assert "head.*" in done.suppressed[0].reason


def test_two_patterns_together_may_cover_a_finding():
    both = finding(paths=("head.weight", "fc.weight"))
    ignores = {"head.*": ["FAN1"], "fc.*": ["FAN101"]}

    assert set_aside(report(both), [by_pattern(ignores)]).findings == ()


def test_a_pattern_of_another_rule_sets_nothing_aside():
    done = set_aside(report(finding()), [by_pattern({"*": ["FAN5"]})])

    assert done.suppressed == ()


def test_the_verdict_is_of_what_is_left_and_the_proof_is_counted():
    done = set_aside(report(finding()), [by_pattern({"*": ["FAN101"]})])

    assert done.verdict is Verdict.HEALTHY
    assert "1 suppressed (among them proved: FAN101)" in done.summary


def test_a_model_that_was_not_run_does_not_become_healthy():
    unrun = Report(verdict=Verdict.CANNOT_LEARN, findings=(finding(),))

    done = set_aside(unrun, [by_pattern({"*": ["FAN1"]})])
    assert done.verdict is Verdict.NOT_CHECKED


def test_a_baseline_sets_aside_what_was_known(tmp_path):
    path = tmp_path / "known.json"
    write_baseline(report(finding()), path, "Net")
    new = finding(paths=("new.weight",))
    decide = read_baseline(path).decider("Net")
    done = set_aside(report(finding(message="Other numbers."), new), [decide])

    assert done.findings == (new,)
    assert [s.by for s in done.suppressed] == ["baseline"]


def test_a_baseline_of_another_class_of_model_knows_nothing(tmp_path):
    path = tmp_path / "known.json"
    write_baseline(report(finding()), path, "Net")

    assert read_baseline(path).decider("Other")(finding()) is None


def test_what_is_no_longer_found_is_stale(tmp_path):
    path = tmp_path / "known.json"
    write_baseline(report(finding(), finding("FAN201", ())), path, "Net")
    known = read_baseline(path)

    assert known.stale(report(), "Net") == ("FAN101 fc.weight",)
    assert known.stale(report(finding()), "Net") == ()
    assert known.stale(report(asked=("FAN101", "FAN201")), "Other") == ()


def test_a_baseline_is_the_same_however_often_it_is_written(tmp_path):
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    write_baseline(report(finding(), finding("FAN105", ("a",))), one, "Net")
    write_baseline(report(finding("FAN105", ("a",)), finding()), two, "Net")

    assert one.read_text() == two.read_text()


def test_a_baseline_holds_no_number_of_a_finding(tmp_path):
    path = tmp_path / "known.json"
    write_baseline(report(finding(measured="0.123", value=0.123)), path, "Net")

    assert "0.123" not in path.read_text()
    assert json.loads(path.read_text())["schema"] == "fanin.baseline/1"


def test_a_baseline_written_again_keeps_what_the_old_one_set_aside(tmp_path):
    path = tmp_path / "known.json"
    write_baseline(report(finding()), path, "Net")
    done = set_aside(report(finding()), [read_baseline(path).decider("Net")])
    write_baseline(done, path, "Net")

    assert read_baseline(path).decider("Net")(finding()) is not None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "x", "findings": []}', '{"schema": 1}']
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path, text):
    path = tmp_path / "known.json"
    path.write_text(text)

    with pytest.raises(ArgumentError, match=r"fanin\.baseline/1"):
        read_baseline(path)


def test_a_baseline_that_is_not_there_says_how_one_is_made(tmp_path):
    with pytest.raises(ArgumentError, match="--write-baseline"):
        read_baseline(tmp_path / "none.json")


def test_fingerprints_differ_by_rule_parameter_and_class():
    marks = {
        fingerprint(*words)
        for words in (
            ("A", "b", "c"),
            ("X", "b", "c"),
            ("A", "x", "c"),
            ("A", "b", "x"),
        )
    }

    assert len(marks) == 4


def test_a_draw_mends_the_parameters_concerned_unless_a_finding_says_otherwise():
    assert mends(finding()) == ("fc.weight",)
    assert mends(finding(mends=("other",))) == ("other",)
    assert mends(finding(mends=())) == ()


def test_a_scale_without_parameters_is_mended_by_the_whole_net():
    drift = finding("FAN201", (), severity=Severity.WARNING)

    assert to_draw([drift, finding()], kept=()) == ("*",)
    assert to_draw([finding("FAN501", ())], kept=()) == ()


def test_notes_are_mended_by_nothing():
    assert not is_mendable(finding(severity=Severity.INFO))


def test_what_is_kept_is_not_drawn():
    assert to_draw([finding(paths=("a", "b"))], kept=("a",)) == ("b",)
