"""What has no gradient: on this batch alone, by rounding, or for ever."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.rules import Evidence, Severity, Verdict
from fanin.rules.second_batch import shuffled

WIDTH, BATCH = 8, 6


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rows():
    return torch.randn(BATCH, WIDTH, generator=generator())


def check(model, batch, *codes, **options):
    return fanin.check(model, batch, select=codes or None, **options)


class Routed(nn.Module):
    """An expert that is only asked where two entries of a sample are both positive."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.usual, self.rare = nn.Linear(WIDTH, 3), nn.Linear(WIDTH, 3)

    def forward(self, x):
        is_rare = ((x[:, 0] > 0) & (x[:, 1] > 0)).float()[:, None]
        return self.usual(x) + is_rare * self.rare(x)


def never_both():
    batch = rows()
    batch[:, 0] = batch[:, 0].abs() * torch.tensor([1, -1, 1, -1, 1, -1])
    batch[:, 1] = -batch[:, 1].abs() * torch.tensor([1, -1, 1, -1, 1, -1])
    return batch


def test_what_only_this_batch_does_not_reach_is_a_note():
    (finding,) = check(Routed(), never_both(), "FAN106").findings

    assert finding.severity is Severity.INFO
    assert finding.paths == ("rare.weight", "rare.bias")
    assert "shuffled" in finding.message


class Sign(nn.Module):
    def forward(self, x):
        return torch.sign(x)


def flat():
    """Give a net whose hidden layer ends in steps: flat for every sample there is."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(WIDTH, WIDTH), Sign(), nn.Linear(WIDTH, 3))


def test_what_no_shuffling_frees_is_an_error_that_is_measured():
    findings = check(flat(), rows(), "FAN106").findings

    errors = [f for f in findings if f.severity is Severity.ERROR]
    assert errors
    assert all(f.evidence is Evidence.MEASURED for f in errors)


def test_one_sample_cannot_be_shuffled_and_stays_an_error():
    findings = check(flat(), rows()[:1], "FAN106").findings

    assert any(f.severity is Severity.ERROR for f in findings)


def test_what_shuffling_frees_is_never_proved_to_be_stuck():
    model = Routed()
    nn.init.zeros_(model.rare.bias)

    report = check(model, never_both())

    assert not [f for f in report.findings if f.evidence is Evidence.PROVED]


@pytest.mark.parametrize("kind", ["float32", "int64", "bool"])
def test_a_shuffled_batch_keeps_the_numbers_of_each_entry(kind):
    rng = np.random.default_rng(0)
    numbers = 10 * rng.normal(size=(5, 3, 7))
    batch = numbers > 0 if kind == "bool" else numbers.astype(kind)

    moved = shuffled(batch, 5)

    assert np.array_equal(np.sort(moved, axis=0), np.sort(batch, axis=0))
    assert not np.array_equal(moved, batch)


def test_a_batch_of_several_parts_is_shuffled_part_by_part():
    batch = {"ids": torch.arange(6).reshape(2, 3), "scale": 2.0}

    moved = shuffled(batch, 2)

    assert moved["ids"].tolist() == [[0, 4, 2], [3, 1, 5]]
    assert moved["scale"] == 2.0


@pytest.mark.parametrize("batch", [lambda m: m, 3.0, None, (1, 2)])
def test_what_cannot_be_shuffled_is_left(batch):
    assert shuffled(batch, 4) is None


class BothWays(nn.Module):
    """Reads a two-way recurrent layer, where ``read`` says."""

    def __init__(self, read):
        super().__init__()
        self.rnn = nn.LSTM(4, 6, bidirectional=True, batch_first=True)
        self.head = nn.Linear(12, 3)
        self.read = read

    def forward(self, x):
        outputs, (last, _) = self.rnn(x)
        return self.head(self.read(outputs, last))


def both_ways(read):
    torch.manual_seed(0)
    batch = torch.randn(16, 5, 4, generator=generator())
    return check(BothWays(read), batch, "FAN106")


def test_a_weight_that_meets_the_first_state_alone_is_a_warning():
    report = both_ways(lambda outputs, last: outputs[:, -1])

    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("FAN106", Severity.WARNING)
    assert finding.paths == ("rnn.weight_hh_l0_reverse",)
    assert "zeros alone" in finding.message
    assert report.verdict is Verdict.WILL_STRUGGLE


def test_a_two_way_layer_that_is_read_at_both_ends_moves():
    assert not both_ways(lambda outputs, last: torch.cat([*last], dim=1)).findings


class Glance(nn.Module):
    """Attention over the positions of a sequence."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.out = nn.Linear(WIDTH, 3)

    def forward(self, x):
        scores = self.query(x) @ self.key(x).transpose(-1, -2) / WIDTH**0.5
        return self.out(torch.softmax(scores, dim=-1) @ self.value(x))


def test_attention_over_one_position_is_a_note():
    findings = check(Glance(), rows()[:, None], "FAN106").findings

    assert {f.severity for f in findings} == {Severity.INFO}
    assert "query.weight" in {p for f in findings for p in f.paths}


def test_attention_over_several_positions_moves():
    batch = rows().reshape(2, 3, WIDTH)
    paths = {p for f in check(Glance(), batch, "FAN106").findings for p in f.paths}

    assert "query.weight" not in paths


def tiny(std):
    torch.manual_seed(0)
    layers = [nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(6)]
    for layer in layers:
        nn.init.normal_(layer.weight, std=std)
    return nn.Sequential(*layers)


def test_numbers_that_round_to_zero_are_told_from_zeros():
    # Five factors of 10⁻¹⁵ are below float32's smallest number, and no exact 0.
    report = check(tiny(1e-15), rows(), "FAN1", "FAN302")

    assert {f.code for f in report.errors} == {"FAN302"}
    assert not [f for f in report.findings if f.evidence is Evidence.PROVED]


def test_the_same_numbers_in_float64_do_not_round():
    report = check(tiny(1e-15).double(), rows().double(), "FAN1", "FAN302")

    assert not report.errors


def test_exact_zeros_beside_tiny_numbers_are_still_proved():
    model = tiny(1e-15)
    for layer in model[1:3]:
        nn.init.zeros_(layer.weight)

    report = check(model, rows(), "FAN1", "FAN302")

    assert any(f.code == "FAN101" for f in report.errors)
