"""Broken models whose fault shows elsewhere first: the cause is listed, and blamed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import fanin
from fanin.rules import Severity

BATCH, FEATURES, WIDTH, CLASSES = 64, 32, 64, 10


def inputs(seed=0):
    return torch.randn((BATCH, FEATURES), generator=torch.Generator().manual_seed(seed))


def labels():
    return torch.randint(CLASSES, (BATCH,), generator=torch.Generator().manual_seed(1))


def healthy(n_hidden=3, activation=nn.ReLU, gain=2.0):
    torch.manual_seed(5)
    layers, n_in = [], FEATURES
    for _ in range(n_hidden):
        layers += [nn.Linear(n_in, WIDTH), activation()]
        nn.init.normal_(layers[-2].weight, std=(gain / n_in) ** 0.5)
        nn.init.zeros_(layers[-2].bias)
        n_in = WIDTH
    head = nn.Linear(n_in, CLASSES)
    nn.init.normal_(head.weight, std=0.5 * n_in**-0.5)
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


def loud(model, batch=None, **options):
    batch = inputs() if batch is None else batch
    report = fanin.check(model, batch, "cross_entropy", labels(), **options)
    return [f for f in report.findings if f.severity is not Severity.INFO]


def test_a_healthy_model_of_these_raises_no_alarm():
    assert loud(healthy()) == []


@pytest.mark.parametrize("layer", [0, 2, 4])
def test_a_bias_that_holds_a_layer_off_is_blamed_and_no_zero_is(layer):
    model = healthy()
    nn.init.constant_(model[layer].bias, -100.0)
    first, *_ = found = loud(model)

    assert {f.code for f in found} <= {"FAN402", "FAN601"}
    assert f"{layer}.bias" in first.paths


def test_a_norms_shift_that_holds_a_layer_off_is_blamed():
    model = healthy()
    model.insert(1, nn.BatchNorm1d(WIDTH))
    nn.init.constant_(model[1].bias, -100.0)
    first, *_ = loud(model)

    assert first.code == "FAN402"
    assert "1.bias" in first.paths


def test_a_bias_for_another_prior_is_blamed_and_no_weight_is():
    model = healthy()
    with torch.no_grad():
        model[-1].bias[0] = 12.0
    (finding,) = loud(model)

    assert finding.code == "FAN501"
    assert finding.paths == ("6.bias",)


def test_a_hot_weight_is_blamed_and_the_bias_is_not():
    model = healthy()
    with torch.no_grad():
        model[-1].weight *= 100.0
        model[-1].bias[0] = 1.0
    (finding,) = loud(model)

    assert finding.code == "FAN501"
    assert "6.bias" not in finding.paths
    assert set(finding.mended_by) == {"6.weight", "6.bias"}  # drawn as one layer


def test_inputs_that_heat_the_loss_are_an_error_and_the_loss_is_not_listed():
    pixels = (inputs(4).abs() * 60).clamp(0, 255)
    (finding,) = loud(healthy(), pixels)

    assert (finding.code, finding.severity) == ("FAN203", Severity.ERROR)


def test_one_seed_for_all_layers_explains_the_scales():
    model = healthy(10)
    for layer in model[::2]:
        torch.manual_seed(0)
        layer.weight.data = torch.randn(layer.weight.shape) * layer.weight.std()
    found = loud(model)

    assert {f.code for f in found} <= {"FAN803", "FAN805"}


def test_a_layer_that_is_nearly_all_flat_needs_no_second_sign():
    model = healthy(3, nn.Tanh, gain=1.0)
    with torch.no_grad():
        model[2].weight *= 100.0
    (finding,) = loud(model)

    assert (finding.code, finding.severity) == ("FAN401", Severity.ERROR)
    assert "2.weight" in finding.paths


def test_a_table_of_one_row_is_found_and_tables_of_ones_are_gains():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.words = nn.Embedding(20, WIDTH)
            self.gains = nn.Embedding(20, WIDTH)
            nn.init.ones_(self.gains.weight)
            self.words.weight.data[:] = self.words.weight.data[0]
            self.head = nn.Linear(WIDTH, CLASSES)

        def forward(self, ids):
            return self.head(torch.tanh(self.words(ids) * self.gains(ids)))

    (finding,) = loud(Words(), torch.arange(BATCH) % 20)

    assert (finding.code, finding.paths) == ("FAN105", ("words.weight",))
