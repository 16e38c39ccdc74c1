from __future__ import annotations

import torch
from torch import nn

import fanin
from fanin.rules import Severity, Verdict


def codes(report):
    return [f.code for f in report.findings]


def test_a_made_up_batch_is_said_and_named():
    report = fanin.check(nn.Linear(3, 2), select=["FAN004"])

    assert codes(report) == ["FAN004"]
    assert "×3 standard normal numbers" in report.findings[0].message


def test_a_batch_that_was_given_is_not_called_made_up():
    report = fanin.check(nn.Linear(3, 2), torch.ones(4, 3), select=["FAN004"])

    assert report.findings == ()


def test_a_loss_that_was_given_leaves_no_note():
    x, y = torch.ones(4, 3), torch.zeros(4, 2)

    assert codes(fanin.check(nn.Linear(3, 2), x, select=["FAN003"])) == ["FAN003"]
    assert codes(fanin.check(nn.Linear(3, 2), x, "mse", y, select=["FAN003"])) == []


def test_a_model_without_memory_is_not_called_clean():
    with torch.device("meta"):
        net = nn.Linear(3, 2)
    report = fanin.check(net, torch.ones(4, 3))

    assert report.verdict is Verdict.NOT_CHECKED
    assert report.errors[0].code == "FAN002"
    assert report.errors[0].severity is Severity.ERROR
    assert "FAN101" in report.coverage.unasked


def test_coverage_counts_what_was_reached_and_measured():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    cover = fanin.check(net, torch.ones(4, 3)).coverage

    assert (cover.n_parameters, cover.n_trainable, cover.n_reached) == (4, 4, 4)
    assert 0 < cover.n_sites <= cover.n_nodes


def test_rules_that_rest_without_the_closure_are_named():
    report = fanin.check(nn.Linear(3, 2), torch.ones(4, 3), closure=False)

    assert {"FAN101", "FAN103"} <= set(report.coverage.unasked)
    assert "FAN001" in report.coverage.asked
