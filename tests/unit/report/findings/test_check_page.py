"""The page of a check: what is on it, and what it may weigh."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch
from torch import nn

import fanin
from fanin.report.findings import html, page_of
from fanin.report.findings.as_html import MOST_IN_NOTEBOOK
from fanin.report.findings.links import Links
from fanin.rules import Finding, Report, Severity, Verdict
from fanin.rules.profile import Bins, Profile, Row, TwinUnits, Weight


def plain(depth, width=64):
    torch.manual_seed(0)
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 4))


def checked(model, width=64):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(64, width, generator=generator)
    return fanin.check(model, x, "cross_entropy", torch.arange(64) % 4)


def bulky(n_layers):
    """Give a report of so many layers, no number of it shorter than in most."""
    bins = Bins(reach=0.01234, counts=(399,) * 25)
    name = "transformer.encoder.layers.{}.mlp.fc1"
    rows, weights = [], []
    for k in range(n_layers):
        size = 1.234e-12
        usual = {
            "shape": (64, 197, 3072), "is_trunk": True, "forward": size,
            "between": size, "maximum": size, "gradient": size, "predicted": size,
            "predicted_low": size, "predicted_high": size, "predicted_gradient": size,
            "n_units": 3072, "values": bins,
        }  # fmt: skip
        path = f"{name.format(k)}.weight"
        dead = {"dead": 0.1234, "units": "0+1+" * 32}
        rows += [
            Row(name=name.format(k), kind="dense", weight=path, **dead, **usual),
            Row(name=f"{name.format(k)}.act", kind="elementwise", **usual),
        ]
        weights.append(
            Weight(
                path=path, shape=(3072, 768), mean=-size, std=size, n_in=768.0, step=1,
                gradient=size, values=bins, gradients=bins,
            )
        )  # fmt: skip
    finding = Finding(
        code="FAN301",
        name="backward-drift",
        severity=Severity.ERROR,
        where="all layers",
        message="Gradients vanish.",
        paths=tuple(weight.path for weight in weights),
    )
    return Report(
        verdict=Verdict.WILL_STRUGGLE,
        findings=(finding,),
        profile=Profile(rows=tuple(rows), weights=tuple(weights)),
    )


@pytest.mark.parametrize(("n_layers", "most"), [(50, 300_000), (300, 1_500_000)])
def test_a_page_weighs_little(n_layers, most):
    assert len(page_of(bulky(n_layers)).encode()) <= most


def test_a_page_of_a_checked_network_weighs_little():
    assert len(page_of(checked(plain(50))).encode()) <= 300_000


@pytest.mark.parametrize("n_layers", [1, 50, 300, 1500])
def test_a_notebook_cell_weighs_little_and_has_no_script(n_layers):
    text = html(bulky(n_layers))

    assert len(text.encode()) <= MOST_IN_NOTEBOOK
    assert "<script" not in text
    assert ' id="finding' not in text


def test_two_notebook_cells_share_no_anchor():
    ids = re.findall(r' id="([^"]+)"', html(bulky(2)) + html(bulky(3)))

    assert len(ids) == len(set(ids))


def test_the_page_lets_in_its_own_script_and_no_other():
    text = page_of(bulky(1))

    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='$", policy)
    assert "unsafe-inline' script" not in policy


def test_a_zero_network_is_said_to_be_zero():
    model = plain(3)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    text = page_of(checked(model))

    assert "cannot learn (proved)" in text
    assert "Every layer's output is 0." in text.replace("&#x27;", "'")
    assert "all 0" in text


def test_findings_lead_to_the_layers_that_they_name():
    model = plain(3)
    nn.init.constant_(model[2].bias, -100.0)
    report = checked(model)
    links = Links(report=report)
    number = [f.code for f in report.findings].index("FAN402")

    assert {report.profile.rows[i].name for i in links.layers_of(number)} == {"2"}
    (place,) = links.layers_of(number)
    assert number in [n for n, _ in links.findings_at(place)]


def test_a_number_and_its_interval_are_drawn():
    finding = Finding(
        code="FAN201",
        name="forward-drift",
        severity=Severity.WARNING,
        where="0",
        message="It drifts.",
        value=1e-6,
        interval=(0.1, 10.0),
    )
    text = page_of(Report(verdict=Verdict.WILL_STRUGGLE, findings=(finding,)))

    assert "Measured 10⁻⁶, expected from 0.1 to 10." in text or (
        "Measured 1·10⁻⁶, expected from 0.1 to 10." in text
    )


@pytest.mark.parametrize(
    ("framework", "code"),
    [
        ("torch", "fanin.init(model, batch, only=[&#x27;a.weight&#x27;])"),
        ("jax", "model = fanin.apply(plan, model)"),
    ],
)
def test_the_remedy_is_code_of_the_models_framework(framework, code):
    finding = Finding(
        code="FAN201",
        name="forward-drift",
        severity=Severity.WARNING,
        where="a",
        message="It drifts.",
        paths=("a.weight", "b.weight"),
        mends=("a.weight",),
    )
    report = Report(
        verdict=Verdict.WILL_STRUGGLE,
        findings=(finding, replace(finding, mends=("c.weight",))),
        framework=framework,
    )
    text = page_of(report)

    assert code in text
    assert "what is at fault (2 parameters)" in text
    assert "report.fix(model)" in text


def test_where_no_draw_can_mend_it_no_code_is_given():
    finding = Finding(
        code="FAN505",
        name="softmax-twice",
        severity=Severity.ERROR,
        where="a",
        message="Softmax stands before its loss.",
        paths=("a.weight",),
        mends=(),
    )
    text = page_of(Report(verdict=Verdict.WILL_STRUGGLE, findings=(finding,)))

    assert "fanin.init(model, batch" not in text
    assert "report.fix" not in text


def test_equal_units_share_a_tint():
    twins = TwinUnits(name="0", size=4, n_different=2, labels=(0, 1, 0, 0))
    row = Row(name="0", kind="dense", is_trunk=True, forward=1.0)
    report = Report(
        verdict=Verdict.CANNOT_LEARN, profile=Profile(rows=(row,), twins=(twins,))
    )

    assert "0 has 4 units, 2 of them different." in page_of(report)


def test_a_report_of_another_version_with_an_unknown_rule_is_shown():
    finding = Finding(
        code="FAN999",
        name="not-yet-known",
        severity=Severity.WARNING,
        where="a",
        message="Something new.",
    )
    text = page_of(Report(verdict=Verdict.WILL_STRUGGLE, findings=(finding,)))

    assert "Something new." in text
    assert "About FAN999" not in text
