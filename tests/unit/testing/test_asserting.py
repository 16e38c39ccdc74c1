from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fanin.errors import ArgumentError, UnknownNameError
from fanin.rules import Evidence, Finding, Report, Severity, Verdict
from fanin.testing import assert_init_ok, assert_report_ok, failing, message_of
from fanin.testing.message import MOST_LINES

LABELS = np.arange(32) % 3


def batch():
    generator = np.random.Generator(np.random.Philox(7))
    return generator.standard_normal((32, 6)).astype("float32")


def net(*, is_zero=False):
    model = torch.nn.Sequential(
        torch.nn.Linear(6, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)
    )
    generator = torch.Generator().manual_seed(3)
    for name, parameter in model.named_parameters():
        torch.nn.init.zeros_(parameter)
        if name.endswith("weight") and not is_zero:
            std = (2.0 / parameter.shape[1]) ** 0.5
            torch.nn.init.normal_(parameter, std=std / 2, generator=generator)
    return model


def finding(code="FAN105", severity=Severity.WARNING, path="head.weight"):
    return Finding(
        code=code,
        name="constant-weight",
        severity=severity,
        where=path,
        message="All of its numbers\nare 1.",
        measured="1",
        expected="different numbers",
        why="Equal units stay equal.",
        fix="Draw it.",
        paths=(path,),
    )


def report(*findings, verdict=Verdict.WILL_STRUGGLE):
    return Report(verdict=verdict, findings=findings)


def test_a_healthy_model_passes_and_its_report_comes_back():
    found = assert_init_ok(net(), batch(), "cross_entropy", LABELS)

    assert found.verdict is Verdict.HEALTHY


def test_a_dead_model_fails_with_the_rule_and_the_remedy_in_the_message():
    with pytest.raises(AssertionError) as caught:
        assert_init_ok(net(is_zero=True), batch(), "cross_entropy", LABELS)

    message = str(caught.value)
    assert message.startswith("cannot learn (proved): ")
    assert "FAN101 never-moves (error, proved)  0.weight" in message
    assert "fix: Draw 0.weight and 2.weight" in message


def test_arguments_are_handed_on_to_the_check():
    found = assert_init_ok(
        net(is_zero=True), batch(), "cross_entropy", LABELS, select=["FAN801"]
    )

    assert found.coverage.n_rules == 1


def test_what_is_allowed_stays_in_the_report():
    found = assert_init_ok(
        net(is_zero=True), batch(), "cross_entropy", LABELS, allow=["never-moves"]
    )

    assert "FAN101" in {f.code for f in found.findings}


@pytest.mark.parametrize(
    ("allow", "n_failing"),
    [
        ((), 2),
        (("FAN1",), 0),
        (("constant-weight",), 0),
        (("FAN105:head.*",), 1),
        (("FAN101:head.*",), 2),
        (("FAN105:*",), 0),
    ],
)
def test_a_glob_allows_a_rule_for_the_parameters_that_fit(allow, n_failing):
    both = report(finding(), finding(path="body.0.weight"))

    assert len(failing(both, allow=allow)) == n_failing


def test_a_glob_must_fit_every_parameter_concerned():
    both = replace(finding(), paths=("head.weight", "body.weight"))

    assert failing(report(both), allow=["FAN105:head.*"]) == (both,)


@pytest.mark.parametrize(
    ("fail_on", "n_failing"), [("error", 1), ("warning", 2), ("info", 3), ("never", 0)]
)
def test_the_severity_that_fails_is_chosen(fail_on, n_failing):
    one_each = report(*(finding(severity=severity) for severity in Severity))

    assert len(failing(one_each, fail_on=fail_on)) == n_failing


def test_an_unknown_severity_is_refused_before_the_model_runs():
    with pytest.raises(ArgumentError, match=r"'error', 'warning', 'info' or 'never'"):
        assert_init_ok(object(), fail_on="fatal")


def test_an_unknown_rule_is_refused_before_the_model_runs():
    with pytest.raises(UnknownNameError, match="never-moves"):
        assert_init_ok(object(), allow=["never-move"])


def test_a_model_that_was_not_checked_does_not_pass():
    with pytest.raises(AssertionError, match="not checked"):
        assert_report_ok(report(verdict=Verdict.NOT_CHECKED))


def test_a_model_that_was_not_checked_passes_where_nothing_may_fail():
    assert_report_ok(report(verdict=Verdict.NOT_CHECKED), fail_on="never")


@pytest.mark.parametrize("n_findings", [1, 5, 6, 7, 15, 16, 17, 200])
def test_the_message_holds_forty_lines_at_most_and_says_what_it_leaves_out(n_findings):
    many = tuple(finding(path=f"{i}.weight") for i in range(n_findings))
    message = message_of(report(*many), many)

    lines = message.splitlines()
    n_shown = sum(line.startswith("FAN105") for line in lines)
    is_complete = n_shown == n_findings
    assert len(lines) <= MOST_LINES
    assert n_shown >= min(n_findings, 16)
    assert is_complete or f"Not shown: {n_findings - n_shown} more of these." in lines


def test_the_worst_comes_first_and_in_full():
    bad = replace(finding(severity=Severity.ERROR), evidence=Evidence.PROVED)
    message = message_of(report(bad, finding()), (bad, finding()))

    assert message.splitlines()[1:7] == [
        "FAN105 constant-weight (error, proved)  head.weight",
        "  All of its numbers are 1.",
        "  measured: 1",
        "  expected: different numbers",
        "  why: Equal units stay equal.",
        "  fix: Draw it.",
    ]
