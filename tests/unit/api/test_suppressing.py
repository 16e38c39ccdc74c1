from __future__ import annotations

import pytest
import torch

import fanin
from fanin.errors import ArgumentError, UnknownNameError
from fanin.rules import Report, Verdict
from tests.unit.api.suppressed_nets import Half, Net

X = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))


def check(kind=Net, **words):
    torch.manual_seed(0)
    return fanin.check(kind(), X, ignore=words.pop("ignore", ["FAN003"]), **words)


def test_a_comment_on_the_constructing_line_sets_a_finding_aside():
    report = check()

    assert "FAN101" not in {f.code for f in report.findings}
    assert [(s.by, s.reason) for s in report.suppressed] == [
        ("comment", "kept for a test")
    ]


def test_a_comment_on_one_of_two_layers_is_not_enough():
    report = check(Half)

    assert report.verdict is Verdict.CANNOT_LEARN
    assert report.suppressed == ()


def test_a_comment_that_sets_nothing_aside_is_reported():
    (note,) = check().notes

    assert "# fanin: ignore[FAN803] sets nothing aside" in note
    assert "suppressed_nets.py:14" in note


def test_a_comment_on_a_rule_that_was_not_asked_is_passed_over():
    assert check(select=["FAN101"]).notes == ()


def test_what_was_set_aside_stays_in_the_json():
    report = check()

    assert Report.from_json(report.to_json()).suppressed == report.suppressed


def test_ignores_by_pattern_are_an_argument_and_a_setting():
    by_argument = check(Half, ignores={"[ab].weight": ["FAN101"]})
    by_setting = check(
        Half, config={"per-param-ignores": {"a.*": ["FAN1"], "b.*": ["FAN1"]}}
    )

    assert [s.by for s in by_argument.suppressed] == ["config"]
    assert [s.by for s in by_setting.suppressed] == ["config"]


def test_settings_select_and_ignore_rules_and_arguments_go_before_them():
    config = {"select": ["FAN1"], "ignore": ["FAN101"], "extend-select": ["FAN701"]}
    by_setting = check(Half, config=config, ignore=None)
    by_argument = check(Half, config=config, select=["FAN101"], ignore=[])

    assert "FAN101" not in by_setting.coverage.asked
    assert {"FAN103", "FAN701"} <= set(by_setting.coverage.asked)
    assert by_argument.coverage.asked == ("FAN101", "FAN701")


def test_the_optimizer_of_the_settings_is_taken():
    words = {"select": ["FAN304", "FAN306"]}
    without = check(Half, **words)
    config = {"optimizer": "sgd", "lr": 1e9}
    with_one = check(Half, config=config, **words)

    assert without.findings == ()
    assert with_one.findings != ()


def test_no_file_of_settings_is_read_by_the_function(tmp_path, monkeypatch):
    (tmp_path / "fanin.toml").write_text('select = ["FAN801"]\n')
    monkeypatch.chdir(tmp_path)

    assert len(check(Half).coverage.asked) > 1


def test_a_wrong_setting_is_refused_before_the_model_runs():
    def never(model):
        raise AssertionError

    with pytest.raises(UnknownNameError, match="Did you mean 'select'"):
        fanin.check(Half(), never, config={"selct": []})
    with pytest.raises(ArgumentError, match="baseline"):
        check(Half, baseline="no/such/file.json")


def test_findings_point_at_the_line_that_built_their_layer():
    found = check(Half).errors[0].location

    assert found.text.startswith("self.a = nn.Linear(8, 8, bias=False)")
    assert found.kind == "constructs"
